# shellcheck shell=bash
# `run.sh requests`: what a question costs Google, which no machine is too slow to count: the requests of
# each tool's first question over finished days, with the look-ups that a set which knows nothing yet makes
# once, those of the same question again, and how many equal questions in flight share one. Sourced by run.sh.

# Requests to Google that report-svc has made.
to_google() {
  curl -sS "http://127.0.0.1:$((base + 12))/metrics" | awk '/^http_client_requests_total/ { n += $NF } END { print n + 0 }'
}

# question TOOL WHO [MEMBERS]: WHO is one (a dealer), all (24 dealers) or region (a dealer among those of its
# region); MEMBERS are further arguments.
question() {
  local arguments n before first again
  up "$bin" --dealers 24 --days 120 >/dev/null
  arguments=$(jq -c --arg who "$2" --arg from "$(date -u -d '40 days ago' +%F)" --arg to "$(date -u -d '13 days ago' +%F)" \
    --argjson more "${3:-{\}}" '.dealers as $d | {date_range: {start_date: $from, end_date: $to}} + $more +
      {one: {dealer_id: $d[0].dealer_id}, all: {dealer_ids: [$d[].dealer_id]}, region: {subject: $d[0].dealer_id}}[$who]' "$run/dealers.json")
  n=$(jq --arg who "$2" '{one: 1, all: (.dealers | length), region: (.dealers[0].region as $r | [.dealers[] | select(.region == $r)] | length)}[$who]' "$run/dealers.json")
  mcp --tool "$1" --arguments "$arguments" --calls 1 --seconds 60 >/dev/null # asks it twice, the first time to warm up
  first=$(to_google)
  mcp --tool "$1" --arguments "$arguments" --calls 1 --seconds 60 >/dev/null
  before=$first again=$(($(to_google) - before))
  down
  say "  $1: $first requests for $n dealers"
  must "  for each dealer" "$(awk -v a="$first" -v n="$n" 'BEGIN { printf "%.2f", a / n }')" '<=' 3
  must "  again" "$again" '<=' 0
}

requests() {
  local asked=640 before sent tool
  say "== requests to Google for a question over finished days"
  question run_report one '{"metrics":["sessions"],"dimensions":["date"]}'
  question run_report_across_dealers all '{"metrics":["sessions"],"dimensions":["deviceCategory"]}'
  for tool in compare_dealer_sessions analyze_vehicle_interest vehicle_lead_conversion vehicle_movers; do question "$tool" all; done
  for tool in benchmark_dealer compare_traffic_sources compare_landing_pages; do question "$tool" region; done
  say "== equal questions at 64 in flight, nothing cached, stub with 200 ms latency"
  REPORT_CACHE_TTL_S=0 up "$bin" --stub --latency-ms 200 >/dev/null
  before=$(to_google)
  mcp --tool run_report --arguments "$report_args}" --connections 64 --calls $asked --seconds 60 >/dev/null
  sent=$(($(to_google) - before))
  down
  must "questions for each request, those of the warm-up not counted" "$(awk -v a=$asked -v b="$sent" 'BEGIN { printf "%.1f", a / b }')" '>=' 16
}
