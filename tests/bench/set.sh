# shellcheck shell=bash
# The set under load, for run.sh: starts it, calls it, and says what a call costs each service in CPU
# time and in system calls. Both hold on a machine that does other things too, where calls/s do not.
#
# Needs from its caller: root, run (a folder), base (a port), bin (bench_mcp and ga4-sim), and lib.sh.

# up SERVICES_BIN SIMULATOR_OPTION...: starts the set on ports of its own, with no caller checked. What its
# services are set to stays in common.
up() {
  local services=$1
  shift
  rm -f "$run"/log/*
  start ga4-sim "http://127.0.0.1:$base/livez" -- "$bin/ga4-sim" --listen "127.0.0.1:$base" --seed 42 \
    --write-dealers "$run/dealers.json" "$@"
  common=(LOG_LEVEL=WARN ENABLE_AUTH=false ANALYTICS_MCP_SHARE_CALLS_PER_MINUTE=10000000
    ANALYTICS_MCP_SHARE_REQUESTS_PER_MINUTE=10000000 ANALYTICS_MCP_SHARE_CALLS=65536 AUTH_SVC_ADDR="127.0.0.1:$((base + 1))"
    REPORT_SVC_ADDR="127.0.0.1:$((base + 2))" AGGREGATE_SVC_ADDR="127.0.0.1:$((base + 3))"
    GA4_DATA_ENDPOINT="http://127.0.0.1:$base" GA4_ADMIN_ENDPOINT="http://127.0.0.1:$base"
    GA_CREDENTIALS_PATH="$run/dealers.json" ANALYTICS_MCP_HOST=127.0.0.1 ANALYTICS_MCP_PORT="$((base + 4))")
  local i=1 name
  for name in auth-svc report-svc aggregate-svc gateway; do
    start "$name" "http://127.0.0.1:$((base + 10 + i))/readyz" "${common[@]}" \
      GRPC_LISTEN="127.0.0.1:$((base + i))" ADMIN_LISTEN="127.0.0.1:$((base + 10 + i))" -- "$services/$name"
    i=$((i + 1))
  done
}
down() {
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -TERM "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  pids=() names=()
}
# A failed call makes figures of errors: $run/errors remembers it for the end.
# mcp_port: of another endpoint than that of up.
mcp() { "$bin/bench_mcp" --port "${mcp_port:-$((base + 4))}" "$@" || touch "$run/errors"; }
# field LINE NAME: the number behind a name.
field() { sed -nE "s/.*\b$2 ([0-9.]+).*/\1/p" <<<"$1"; }
# rss_mb PID
rss_mb() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

# The CPU time a process has used, in ticks. Its name in /proc/PID/stat has no spaces.
ticks_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# Whether this user may count system calls.
counts_calls() { perf stat -x, -e raw_syscalls:sys_enter true >/dev/null 2>&1; }

# costs MCP_OPTION...: the line of bench_mcp, with "cpu_us" and "syscalls" of all services together
# for each call, and behind them those of each: gateway_us 60.1 gateway_sys 5.2 ... At the end stub_us, the CPU time
# of the simulator, which has the same processors and is not in the sum.
costs() {
  local i line before=() counters=() calls total=0 calls_all=0 rest="" hz stub
  hz=$(getconf CLK_TCK)
  stub=$(ticks_of "${pids[0]}")
  for ((i = 1; i < ${#pids[@]}; i++)); do
    before[i]=$(ticks_of "${pids[i]}")
    if counts_calls; then
      perf stat -x, -e raw_syscalls:sys_enter -p "${pids[i]}" -o "$run/perf-$i" &
      counters[i]=$!
    fi
  done
  line=$(mcp "$@")
  calls=$(field "$line" calls)
  for ((i = 1; i < ${#pids[@]}; i++)); do
    local us sys=-
    us=$(awk -v a="${before[i]}" -v b="$(ticks_of "${pids[i]}")" -v n="$calls" -v hz="$hz" \
      'BEGIN { printf "%.1f", (b - a) * 1e6 / hz / n }')
    if [[ -n ${counters[i]:-} ]]; then
      kill -INT "${counters[i]}" 2>/dev/null || true
      wait "${counters[i]}" 2>/dev/null || true
      sys=$(awk -F, -v n="$calls" '/sys_enter/ { printf "%.1f", $1 / n }' "$run/perf-$i")
      calls_all=$(awk -v a="$calls_all" -v b="${sys:-0}" 'BEGIN { print a + b }')
    fi
    total=$(awk -v a="$total" -v b="$us" 'BEGIN { print a + b }')
    rest+=" ${names[i]%-svc}_us $us ${names[i]%-svc}_sys ${sys:--}"
  done
  stub=$(awk -v a="$stub" -v b="$(ticks_of "${pids[0]}")" -v n="$calls" -v hz="$hz" \
    'BEGIN { printf "%.1f", (b - a) * 1e6 / hz / n }')
  printf '%s cpu_us %s syscalls %s%s stub_us %s\n' "$line" "$total" "$calls_all" "$rest" "$stub"
}

# What is called: @N@ gets past the cache.
report_args='{"dealer_id":"d01","dimensions":["date"],"metrics":["sessions"],"date_ranges":[{"start_date":"8daysAgo","end_date":"2daysAgo"}]'
across_args='{"metrics":["sessions"],"date_range":{"start_date":"28daysAgo","end_date":"yesterday"},"limit_per_dealer":@N@}'
# compare_args N [DAYS]: a comparison of the first N dealers of the file.
compare_args() {
  jq -c --argjson n "$1" --arg start "${2:-28}daysAgo" '{dealer_ids: [.dealers[:$n][].dealer_id],
    date_range: {start_date: $start, end_date: "yesterday"}}' "$run/dealers.json"
}
# Rows by day of 2 dimensions and 10 metrics: wide_report DAYS for one dealer, wide_args DAYS for all.
wide='"dimensions":["date","sessionDefaultChannelGroup"],"metrics":["sessions","engagedSessions","eventCount","screenPageViews","keyEvents","newUsers","userEngagementDuration","engagementRate","bounceRate","averageSessionDuration"]'
wide_report() { echo "$wide,\"date_ranges\":[{\"start_date\":\"$1daysAgo\",\"end_date\":\"yesterday\"}]"; }
wide_args() { echo "{$wide,\"date_range\":{\"start_date\":\"$1daysAgo\",\"end_date\":\"yesterday\"},\"limit_per_dealer\":@N@,\"pooled_limit\":1,\"dealers_per_page\":1}"; }
