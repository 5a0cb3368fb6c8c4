# Whether the answer of compare_dealer_sessions ($answer) equals what SQL found ($truth): counts to
# the last digit, ratios to 1e-9 relative.
def near($a; $b): ($a - $b) | fabs <= 1e-9 * ([($b | fabs), 1e-300] | max);
# Columns and rows as objects.
def objects: .columns as $c | .rows | map([$c, .] | transpose | map({key: .[0], value: .[1]}) | from_entries);

($truth | map({key: .dealer_id, value: .}) | from_entries) as $by_id
| ($truth | map(select(.dealer_id != $s))) as $peers
| $by_id[$s] as $own
| ($peers | map(.engaged_sessions) | add) as $engaged
| ($peers | map(.sessions) | add) as $sessions
| ($own.engaged_sessions / $own.sessions) as $rate
| ($engaged / $sessions) as $benchmark
| ($answer.dealers.rows | length) == ($truth | length)
  and ($answer.dealers | objects | all(.[]; . as $d | $by_id[$d.dealer_id] as $t
        | $d.sessions == $t.sessions
          and $d.engaged_sessions == $t.engaged_sessions
          and ($d.lead_events // 0) == $t.lead_events))
  and ($answer.performance_index | objects | .[]
        | select(.dealer_id == $s and .metric == "engagement_rate")
        | near(.value; $rate) and near(.benchmark; $benchmark)
          and near(.index; 100 * $rate / $benchmark))
