# shellcheck shell=bash
# `run.sh peers`: cached run_report of the set beside servers of one tool that answers the same every
# time, made with the official SDKs, and beside Google's own server over the same simulator, in
# alternating rounds. Sourced by run.sh.
#
# The Go SDK stands twice: go_sdk is the least it can do (a raw handler, answers as JSON, as the other
# peers), go_sdk_typed its defaults as its README shows them (a typed handler, event streams).
#
# What a peer is made with: BENCH_GO (go), BENCH_NODE_FOLDER (a folder whose node_modules has
# @modelcontextprotocol/sdk), BENCH_PYTHON (a python with mcp and uvicorn; with analytics-mcp also
# Google's server). One whose tool is missing is left out, and that is said.

peers_dir=$root/tests/bench/peers

# Writes $run/answer.json, which the peers answer with: the set's own answer.
keep_answer() {
  curl -fsS -H 'Content-Type: application/json' -d "$report_args}" "http://127.0.0.1:$((base + 4))/mcp/tools/run_report" |
    jq '{text: (. | tojson), structured: .}' >"$run/answer.json"
}

# peer_command NAME PORT: sets peer to the command; false when it cannot be started here.
peer_command() {
  local python=${BENCH_PYTHON:-python3}
  case $1 in
  go_sdk | go_sdk_typed)
    if ! [[ -x $run/go-peer ]]; then
      (cd "$peers_dir/go" && "${BENCH_GO:-go}" build -o "$run/go-peer" .) >"$run/log/go-peer.log" 2>&1 || return 1
    fi
    peer=("$run/go-peer" "$2" "$run/answer.json" "${1#go_sdk_}")
    ;;
  typescript_sdk)
    [[ -d ${BENCH_NODE_FOLDER:=$root/tests/e2e}/node_modules/@modelcontextprotocol/sdk ]] || return 1
    peer=(env -C "$BENCH_NODE_FOLDER" node "$peers_dir/echo.mjs" "$2" "$run/answer.json")
    ;;
  python_sdk)
    "$python" -c 'import mcp, uvicorn' 2>/dev/null || return 1
    peer=("$python" "$peers_dir/echo.py" "$2" "$run/answer.json")
    ;;
  google)
    "$python" -c 'import analytics_mcp, uvicorn' 2>/dev/null || return 1
    peer=("$python" "$peers_dir/google_server.py" "$2" "http://127.0.0.1:$base" "$run/dealers.json")
    ;;
  esac
}

# What Google's server is asked, for the property of the dealer that the set is asked about.
google_args() {
  jq -c '{property_id: (.dealers[] | select(.dealer_id == "d01") | .properties[0] | tonumber), dimensions: ["date"],
    metrics: ["sessions"], date_ranges: [{start_date: "8daysAgo", end_date: "2daysAgo"}]}' "$run/dealers.json"
}

# load_peer NAME ROUND: one run, with CPU time for each call from the peer's own process.
load_peer() {
  local name=$1 port=$((base + 6)) args="$report_args}" pid line before n=64
  [[ $name != google ]] || { args=$(google_args); n=16; }
  "${peer[@]}" >"$run/log/$name.log" 2>&1 &
  pid=$!
  for ((i = 0; i < 300; i++)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.1
  done
  # What compiles while it runs is warm after so many calls.
  mcp_port=$port mcp --tool run_report --arguments "$args" --connections 4 --calls $((n * 32)) --seconds 30 >/dev/null
  before=$(ticks_of "$pid")
  line=$(mcp_port=$port mcp --tool run_report --arguments "$args" --connections $n --seconds "$seconds")
  echo "$name peers calls_per_s $(field "$line" calls_per_s)" >>"$run/figures"
  awk -v name="$name" -v a="$before" -v b="$(ticks_of "$pid")" -v n="$(field "$line" calls)" -v hz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%s peers cpu_us %.1f\n", name, (b - a) * 1e6 / hz / n }' >>"$run/figures"
  kill -TERM "$pid"
  wait "$pid" 2>/dev/null || true
}

# peers ROUNDS
peers() {
  local round name line present=()
  up "$bin" >/dev/null
  mcp --tool run_report --arguments "$report_args}" --calls 200 >/dev/null
  keep_answer
  for name in go_sdk go_sdk_typed typescript_sdk python_sdk google; do
    if peer_command $name $((base + 6)); then present+=("$name"); else say "  $name is left out: its tools are not here"; fi
  done
  for ((round = 1; round <= $1; round++)); do
    line=$(costs --tool run_report --arguments "$report_args}" --connections 64 --seconds "$seconds")
    echo "set peers calls_per_s $(field "$line" calls_per_s)" >>"$run/figures"
    echo "set peers cpu_us $(field "$line" cpu_us)" >>"$run/figures"
    for name in "${present[@]}"; do
      peer_command "$name" $((base + 6))
      load_peer "$name"
    done
  done
  down
  say "== cached run_report of the set beside peers, medians of $1 alternating rounds"
  say "  set: $(median set peers calls_per_s) calls/s, $(median set peers cpu_us) us of CPU for each"
  for name in "${present[@]}"; do
    say "  $name: $(median "$name" peers calls_per_s) calls/s, $(median "$name" peers cpu_us) us; the set makes $(
      awk -v a="$(median "$name" peers calls_per_s)" -v b="$(median set peers calls_per_s)" 'BEGIN { printf "%.2f", b / a }') times as many"
  done
}
