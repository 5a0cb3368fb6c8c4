#!/usr/bin/env bash
# Measures the set on this machine and prints the figures with the ratios that must hold.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$root/deploy/lib.sh"

usage() {
  cat <<USAGE
Usage: tests/bench/run.sh [--seconds N] [--no-build] [rpc] [decoder] [auth] [set] [memory]

Builds in release mode into build-bench and measures, on loopback only:
  rpc      unary calls/s, p50, p99 at 1 and 64 in flight: common/rpc beside a raw gRPC-core echo
  decoder  the row decoder beside cJSON on one body of 250,000 rows
  auth     auth-svc's calls at 1 and 64 in flight, tokens remembered and new, 24 and 1,000 dealers
  set      run_report cached and uncached, and a fan-out over 24 dealers at 200 ms, through the set
  memory   resident memory of each idle process
Without names all five run. --seconds bounds each single run (default 3).
USAGE
}

seconds=3 build=true parts=()
while (($# > 0)); do
  case "$1" in
  --seconds) seconds=${2:?--seconds needs a number}; shift ;;
  --no-build) build=false ;;
  --help | -h) usage; exit 0 ;;
  rpc | decoder | auth | set | memory) parts+=("$1") ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
((${#parts[@]} > 0)) || parts=(rpc decoder auth set memory)
wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }

dir=$root/build-bench
bin=$dir/bin
if $build; then
  cmake -G Ninja -S "$root" -B "$dir" -DCMAKE_BUILD_TYPE=Release -DAMCP_BENCH=ON -DAMCP_TESTS=OFF \
    -DAMCP_WERROR=OFF >/dev/null
  programs=()
  if wants rpc; then programs+=(bench_rpc bench_raw_echo); fi
  if wants decoder; then programs+=(bench_decoder); fi
  if wants auth; then programs+=(bench_auth bench_rpc auth-svc); fi
  if wants set || wants memory; then
    programs+=(bench_mcp ga4-sim auth-svc report-svc aggregate-svc gateway)
  fi
  ninja -C "$dir" "${programs[@]}" | tail -n 1
fi

failed=0
# must NAME VALUE OP BOUND: prints a figure with its bound, and remembers a miss.
must() {
  local verdict=ok
  awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }" || { verdict=MISSED; failed=1; }
  printf '  %-58s %10s  must be %s %s: %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
field() { sed -nE "s/.*\b$2 ([0-9.]+).*/\1/p" <<<"$1"; }

if wants rpc; then
  say "== gRPC unary through common/rpc, 16-byte payload, server and client in processes of their own"
  out=$(sh "$root/tests/bench/rpc.sh" "$dir" 3 "$seconds")
  grep ' in flight: ' <<<"$out" | sed 's/^/  /'
  must "common/rpc against raw gRPC core at 64 in flight" \
    "$(sed -nE 's/^64 in flight.*ratio ([0-9.]+)$/\1/p' <<<"$out")" '>=' 0.85
fi

if wants decoder; then
  say "== row decoder, 250,000 rows, 3 dimensions, 4 metrics"
  out=$("$bin/bench_decoder")
  sed 's/^/  /' <<<"$out"
  must "row decoder against cJSON, MB/s" "$(sed -nE 's/.*ratio=([0-9.]+).*/\1/p' <<<"$out" | tail -n 1)" '>=' 5
fi

if wants auth; then
  say "== auth-svc over gRPC, beside the echo of common/rpc; its steps without gRPC"
  out=$(bash "$root/tests/bench/auth.sh" "$dir" 3 "$seconds")
  grep -v '^ratio ' <<<"$out" | sed 's/^/  /'
  ratio() { sed -nE "s|^ratio $1 ([0-9.]+)$|\1|p" <<<"$out"; }
  must "GetAccessToken from cache, CPU time against the echo" "$(ratio token/echo)" '<=' 4
  must "Authenticate, known RS256, CPU time against the echo" "$(ratio RS256/echo)" '<=' 5
  must "RS256: checking a new token against a known one" "$(ratio 'RS256 new/known')" '>=' 4
  must "ES256: checking a new token against a known one" "$(ratio 'ES256 new/known')" '>=' 8
  must "grant of 1,000 listed dealers against one of role admin" "$(ratio listed/one)" '<=' 40
fi

run=$(mktemp -d)
mkdir "$run/log"
base=${BENCH_PORT_BASE:-18300}
# up LATENCY_MS: starts the set on ports of its own.
up() {
  rm -f "$run"/log/*
  start ga4-sim "http://127.0.0.1:$base/livez" -- "$bin/ga4-sim" --listen "127.0.0.1:$base" --seed 42 \
    --dealers 24 --days 400 --db "$dir/world.db" --write-dealers "$run/dealers.json" --latency-ms "$1"
  local common=(LOG_LEVEL=WARN ENABLE_AUTH=false AUTH_SVC_ADDR="127.0.0.1:$((base + 1))"
    REPORT_SVC_ADDR="127.0.0.1:$((base + 2))" AGGREGATE_SVC_ADDR="127.0.0.1:$((base + 3))"
    GA4_DATA_ENDPOINT="http://127.0.0.1:$base" GA4_ADMIN_ENDPOINT="http://127.0.0.1:$base"
    GA_CREDENTIALS_PATH="$run/dealers.json" ANALYTICS_MCP_HOST=127.0.0.1 ANALYTICS_MCP_PORT="$((base + 4))")
  local i=1 name
  for name in auth-svc report-svc aggregate-svc gateway; do
    start "$name" "http://127.0.0.1:$((base + 10 + i))/readyz" "${common[@]}" \
      GRPC_LISTEN="127.0.0.1:$((base + i))" ADMIN_LISTEN="127.0.0.1:$((base + 10 + i))" -- "$bin/$name"
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
trap 'down; rm -rf "$run"' EXIT
mcp() { "$bin/bench_mcp" --port $((base + 4)) "$@"; }
report_args='{"dealer_id":"d01","dimensions":["date"],"metrics":["sessions"],"date_ranges":[{"start_date":"8daysAgo","end_date":"2daysAgo"}]'

if wants memory; then
  say "== resident memory of each idle process (VmRSS)"
  up 0 >/dev/null
  for ((i = 1; i < ${#pids[@]}; i++)); do
    kib=$(awk '/^VmRSS/ { print $2 }' "/proc/${pids[i]}/status")
    must "${names[i]}, MB" "$(awk -v k="$kib" 'BEGIN { printf "%.1f", k / 1024 }')" '<' 25
  done
  down
fi

if wants set; then
  say "== run_report through the whole set (7 rows), simulator without latency"
  up 0 >/dev/null
  mcp --tool run_report --arguments "$report_args}" --calls 50 >/dev/null
  for n in 1 16 64; do
    say "  cached:   $(mcp --tool run_report --arguments "$report_args}" --connections $n --seconds "$seconds")"
  done
  for n in 1 8; do
    say "  uncached: $(mcp --tool run_report --arguments "$report_args,\"limit\":@N@}" --connections $n --seconds "$seconds")"
  done
  down
  say "== fan-out over 24 dealers, simulator with 200 ms latency"
  up 200 >/dev/null
  across='{"metrics":["sessions"],"date_range":{"start_date":"2026-10-01","end_date":"2026-10-28"},"limit_per_dealer":@N@}'
  compare='{"dealer_ids":DEALERS,"date_range":{"start_date":"2026-10-01","end_date":"2026-10-28"}}'
  compare=${compare/DEALERS/$(jq -c '[.dealers[].dealer_id]' "$run/dealers.json")}
  mcp --tool run_report_across_dealers --arguments "$across" --calls 1 --seconds 30 >/dev/null # tokens
  one=$(mcp --tool run_report --arguments "${report_args/d01/d07},\"limit\":@N@}" --calls 8 --seconds 30)
  all=$(mcp --tool run_report_across_dealers --arguments "$across" --calls 8 --seconds 30)
  cmp=$(mcp --tool compare_dealer_sessions --arguments "$compare" --calls 8 --seconds 30)
  alone=$(mcp --tool compare_dealer_sessions --arguments '{"dealer_ids":["d07"],"date_range":{"start_date":"2026-10-01","end_date":"2026-10-28"}}' --calls 8 --seconds 30)
  say "  run_report, one dealer:    $one"
  say "  comparison of one dealer:  $alone"
  say "  run_report_across_dealers: $all"
  say "  compare_dealer_sessions:   $cmp"
  slowest=$(field "$one" max_ms)
  must "fan-out over 24 dealers against the slowest single call" \
    "$(awk -v a="$(field "$all" p50_ms)" -v b="$slowest" 'BEGIN { printf "%.2f", a / b }')" '<=' 1.3
  must "comparison of 24 dealers against the slowest comparison of one" \
    "$(awk -v a="$(field "$cmp" p50_ms)" -v b="$(field "$alone" max_ms)" 'BEGIN { printf "%.2f", a / b }')" '<=' 1.3
  down
fi
((failed == 0)) || { say "some figures missed their bound"; exit 1; }
