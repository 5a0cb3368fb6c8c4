# shellcheck shell=bash
# `run.sh shares`: what shares cost a cached call. Two gateways in front of the same services, one with
# ANALYTICS_MCP_UNLIMITED, are called in turns, so that a load of the machine meets both. Sourced by run.sh.

# shares ROUNDS
shares() {
  local round side line figure
  up "$bin" --stub >/dev/null
  start unlimited "http://127.0.0.1:$((base + 15))/readyz" "${common[@]}" ANALYTICS_MCP_PORT=$((base + 5)) \
    ANALYTICS_MCP_UNLIMITED=true ADMIN_LISTEN="127.0.0.1:$((base + 15))" -- "$bin/gateway" >/dev/null
  for side in $((base + 5)) $((base + 4)); do
    mcp_port=$side mcp --tool run_report --arguments "$report_args}" --connections 16 --calls 2000 >/dev/null
  done
  for ((round = 1; round <= $1; round++)); do
    for side in $( ((round % 2)) && echo unlimited limited || echo limited unlimited); do # neither is always second
      mcp_port=$((base + 4))
      [[ $side == limited ]] || mcp_port=$((base + 5))
      line=$(costs --tool run_report --arguments "$report_args}" --connections 16 --seconds "$seconds")
      for figure in calls_per_s cpu_us; do
        echo "$side shares $figure $(field "$line" $figure)" >>"$run/figures"
      done
      figure=gateway_us
      [[ $side == limited ]] || figure=unlimited_us
      echo "$side shares gateway_us $(field "$line" $figure)" >>"$run/figures"
    done
  done
  unset mcp_port
  down
  say "== cached run_report with shares and without, medians of $1 alternating rounds"
  for figure in calls_per_s gateway_us cpu_us; do
    say "  $figure: $(median unlimited shares $figure) without, $(median limited shares $figure) with"
  done
  say "  calls/s with against without: $(ratio_of calls_per_s), which on a machine that does other things is its noise"
  must "CPU time of all services for a call, with against without" "$(ratio_of cpu_us)" '<=' 1.02
}

# ratio_of FIGURE: with shares against without, the median over the rounds, whose two runs met the same load.
ratio_of() {
  awk -v k="$1" '$2 == "shares" && $3 == k { v[$1] = $4; if (++n % 2 == 0) printf "%.3f\n", v["limited"] / v["unlimited"] }' "$run/figures" |
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
