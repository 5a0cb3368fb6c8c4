# The result of compare_dealer_sessions as a table for people.
def pad(n): tostring | . + (" " * ([n - length, 0] | max));
def lpad(n): tostring | (" " * ([n - length, 0] | max)) + .;
def fixed(d): if . == null then "-" else (. * pow(10; d) | round) as $v
  | if d == 0 then ($v | tostring)
    else (($v / pow(10; d)) | floor) as $i
      | "\($i).\(($v - $i * pow(10; d)) | tostring | (("0" * d) + .)[-d:])" end end;
def show($metric): if . == null then "-"
  elif $metric == "engagement_rate" or $metric == "bounce_rate" then (. * 100 | fixed(1)) + "%"
  elif $metric == "leads_per_100_sessions" then fixed(2)
  else fixed(0) end;

. as $r
| ($r.performance_index | map(select(.dealer_id == $s)) | .[0].metrics) as $m
| [ $r.headline,
    "",
    (("metric" | pad(24)) + (["dealer", "benchmark", "index", "rank"] | map(lpad(12)) | add) + "  standing"),
    ( $m[] | .metric as $name
      | ($name | pad(24))
        + (.value | show($name) | lpad(12))
        + (.benchmark | show($name) | lpad(12))
        + (.index | fixed(0) | lpad(12))
        + ("\(.rank // 0) of \(.of // 0)" | lpad(12))
        + "  " + (.standing // "" | ascii_downcase | gsub("_"; " ")) ),
    "",
    "\($r.cohort.label): \($r.coverage.ok) of \($r.coverage.asked) dealers, \($r.period.start_date) to \($r.period.end_date)",
    ( $r.coverage.failed[]? | "  left out: \(.name // .dealer_id): \(.message)" ),
    ( $r.caveats[]? | "  note: " + . )
  ] | .[]
