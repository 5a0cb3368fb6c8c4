#!/usr/bin/env bash
# Measures the set on this machine and prints the figures with the ratios that must hold.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$root/deploy/lib.sh"

usage() {
  cat <<USAGE
Usage: tests/bench/run.sh [--seconds N] [--no-build] [rpc] [decoder] [auth] [set] [shares] [fanout] [rounds] [requests] [size] [memory]
       tests/bench/run.sh compare COMMIT [--rounds N] [--record]
       tests/bench/run.sh peers [--rounds N]

Builds what the images ship (cmake/shipped.cmake) into build-bench and measures, on loopback only:
  rpc      unary calls/s, p50, p99 at 1 and 64 in flight: common/rpc beside a raw gRPC-core echo
  decoder  the row decoder beside cJSON on one body of 250,000 rows
  auth     auth-svc's calls at 1 and 64 in flight, tokens remembered and new, 24 and 1,000 dealers
  set      run_report cached and uncached through the set over the stub, with CPU time and system calls
           for each call, and at a fixed rate (--rate, default 1,000 calls/s)
  shares   cached run_report with what one caller may use counted and not, in alternating rounds (--rounds)
  fanout   reports and a comparison over 24, 200 and 500 dealers at 200 ms
  rounds   round trips to Google that a comparison of 24 and of 500 dealers waits for
  requests requests to Google for each tool's question, first and again; equal questions that share one
  size     500 dealers x 56 days x 12 values in a row at 200 ms: time, and memory at 28 and at 56 days
  memory   resident memory of each idle process, of an idle connection with a session and with a stream, and of
           the gateway under load
  peers    cached run_report beside one-tool servers of the official SDKs and Google's own server, alternating
  compare  the services of this checkout against those of another commit, alternating; --record adds
           the ratios to docs/internals/bench-history.md
Without names all run but peers and compare. --seconds bounds each single run (default 3).
USAGE
}

seconds=3 build=true parts=() rate=1000 rounds=5 record=false against=""
while (($# > 0)); do
  case "$1" in
  --seconds) seconds=${2:?--seconds needs a number}; shift ;;
  --rate) rate=${2:?--rate needs a number}; shift ;;
  --rounds) rounds=${2:?--rounds needs a number}; shift ;;
  --record) record=true ;;
  --no-build) build=false ;;
  compare) against=${2:?compare needs a commit}; parts+=(compare); shift ;;
  --help | -h) usage; exit 0 ;;
  rpc | decoder | auth | set | shares | peers | fanout | rounds | requests | size | memory) parts+=("$1") ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
((${#parts[@]} > 0)) || parts=(rpc decoder auth set shares fanout rounds requests size memory)
wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }

dir=$root/build-bench
bin=$dir/bin
if $build; then
  cmake -C "$root/cmake/shipped.cmake" -G Ninja -S "$root" -B "$dir" -DAMCP_BENCH=ON >/dev/null
  programs=()
  if wants rpc; then programs+=(bench_rpc bench_raw_echo); fi
  if wants decoder; then programs+=(bench_decoder); fi
  if wants auth; then programs+=(bench_auth bench_rpc auth-svc); fi
  if wants set || wants shares || wants peers || wants fanout || wants rounds || wants requests || wants size || wants memory || wants compare; then
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
# shellcheck source=tests/bench/set.sh
source "$root/tests/bench/set.sh"
# shellcheck source=tests/bench/compare.sh
source "$root/tests/bench/compare.sh"
# shellcheck source=tests/bench/shares.sh
source "$root/tests/bench/shares.sh"
# shellcheck source=tests/bench/requests.sh
source "$root/tests/bench/requests.sh"
# shellcheck source=tests/bench/peers.sh
source "$root/tests/bench/peers.sh"
trap 'down; rm -rf "$run"' EXIT

# peak_mb NAME: the most memory that a service had resident, in MB.
peak_mb() {
  local i
  for ((i = 0; i < ${#pids[@]}; i++)); do
    [[ ${names[i]} != "$1" ]] || awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/${pids[i]}/status"
  done
}

if wants memory; then
  say "== resident memory of each idle process (VmRSS)"
  up "$bin" --stub >/dev/null
  for ((i = 1; i < ${#pids[@]}; i++)); do
    must "${names[i]}, MB" "$(rss_mb "${pids[i]}")" '<' 21
  done
  # held WHAT N [OPTION]: the gateway's memory for each of N idle connections with a session.
  mkfifo "$run/held"
  held() {
    local idle holder line
    idle=$(rss_mb "${pids[-1]}")
    mcp --sessions "$2" "${@:3}" --seconds 2 >"$run/held" &
    holder=$!
    read -r line <"$run/held"
    must "KiB for each of $2 $1" \
      "$(awk -v a="$idle" -v b="$(rss_mb "${pids[-1]}")" -v n="$2" 'BEGIN { printf "%.1f", (b - a) * 1024 / n }')" '<' 64
    wait "$holder"
    [[ $line == "$1 $2 open" ]] || touch "$run/errors"
  }
  say "== the gateway's memory for each idle connection with a session, and with a stream of notifications"
  held sessions 500
  down
  up "$bin" --stub >/dev/null
  held streams 250 --streams
  down
  say "== the gateway's memory under load: cached run_report at 64 in flight"
  up "$bin" --stub >/dev/null
  mcp --tool run_report --arguments "$report_args}" --connections 64 --seconds "$seconds" >/dev/null
  must "gateway at most, MB" "$(peak_mb gateway)" '<=' 32
  down
fi

if wants set; then
  say "== run_report through the whole set (7 rows), stub without latency; CPU and system calls for each call"
  up "$bin" --stub >/dev/null
  mcp --tool run_report --arguments "$report_args}" --calls 50 >/dev/null
  for n in 1 16 64; do
    say "  cached:   $(costs --tool run_report --arguments "$report_args}" --connections $n --seconds "$seconds")"
  done
  for n in 1 8; do
    say "  uncached: $(costs --tool run_report --arguments "$report_args,\"limit\":@N@}" --connections $n --seconds "$seconds")"
  done
  # With a core of its own, where there is one, the load generator does not delay what it measures.
  pin=()
  if (($(nproc) > 2)); then pin=(taskset -c "$(($(nproc) - 1))"); fi
  say "  cached at $rate calls/s: $("${pin[@]}" "$bin/bench_mcp" --port $((base + 4)) --tool run_report \
    --arguments "$report_args}" --connections 64 --rate "$rate" --seconds "$seconds")"
  down
fi

if wants fanout; then
  for n in 24 200 500; do
    say "== fan-out over $n dealers, stub with 200 ms latency"
    up "$bin" --stub --dealers "$n" --latency-ms 200 >/dev/null
    mcp --tool run_report_across_dealers --arguments "$across_args" --calls 1 --seconds 30 >/dev/null # tokens
    one=$(mcp --tool run_report --arguments "${report_args/d01/d07},\"limit\":@N@}" --calls 8 --seconds 30)
    alone=$(mcp --tool compare_dealer_sessions --arguments "$(compare_args 1)" --calls 8 --seconds 30)
    all=$(costs --tool run_report_across_dealers --arguments "$across_args" --calls 8 --seconds 60)
    cmp=$(costs --tool compare_dealer_sessions --arguments "$(compare_args "$n")" --calls 8 --seconds 60)
    say "  run_report, one dealer:    $one"
    say "  comparison of one dealer:  $alone"
    say "  run_report_across_dealers: $all"
    say "  compare_dealer_sessions:   $cmp"
    most_all=1.3 most_cmp=1.4
    if ((n > 200)); then most_all=2.5 most_cmp=3; fi
    must "reports of $n dealers against the slowest single call" \
      "$(awk -v a="$(field "$all" p50_ms)" -v b="$(field "$one" max_ms)" 'BEGIN { printf "%.2f", a / b }')" '<=' $most_all
    must "comparison of $n dealers against the slowest of one" \
      "$(awk -v a="$(field "$cmp" p50_ms)" -v b="$(field "$alone" max_ms)" 'BEGIN { printf "%.2f", a / b }')" '<=' $most_cmp
    down
  done
fi

# What a comparison takes at two latencies of Google differs by its round trips alone: what the services
# compute, and what else the machine does, is in both.
if wants rounds; then
  for n in 24 500; do
    say "== a comparison of $n dealers over 56 days, stub with 1 s and with 3 s latency"
    took=()
    for ms in 1000 3000; do
      up "$bin" --stub --dealers "$n" --latency-ms "$ms" >/dev/null
      mcp --tool run_report_across_dealers --arguments "$across_args" --calls 1 --seconds 60 >/dev/null # tokens
      line=$(mcp --tool compare_dealer_sessions --arguments "$(compare_args "$n" 56)" --calls 3 --seconds 60)
      say "  $ms ms: $line"
      took+=("$(field "$line" p50_ms)")
      down
    done
    must "round trips to Google of $n dealers, one after the other" \
      "$(awk -v a="${took[0]}" -v b="${took[1]}" 'BEGIN { printf "%.2f", (b - a) / 2000 }')" '<=' 1.3
  done
fi

if wants size; then
  compared=() streamed=()
  for days in 28 56; do
    say "== 500 dealers x $days days x 12 values in a row, stub with 200 ms latency"
    up "$bin" --stub --dealers 500 --latency-ms 200 >/dev/null
    mcp --tool run_report_across_dealers --arguments "$across_args" --calls 1 --seconds 30 >/dev/null # tokens
    rows=$(wide_args "$days")
    one=$(mcp --tool run_report --arguments "{\"dealer_id\":\"d07\",\"limit\":@N@,$(wide_report "$days")}" --calls 8 --seconds 30)
    cmp=$(costs --tool compare_dealer_sessions --arguments "$(compare_args 500 "$days")" --calls 6 --seconds 60)
    compared[days]=$(peak_mb aggregate-svc)
    all=$(costs --tool run_report_across_dealers --arguments "$rows" --calls 6 --seconds 60)
    say "  run_report, one dealer:    $one"
    say "  compare_dealer_sessions:   $cmp"
    say "  run_report_across_dealers: $all"
    say "  resident at most: report-svc $(peak_mb report-svc) MB, aggregate-svc $(peak_mb aggregate-svc) MB (comparison alone ${compared[days]} MB)"
    slowest=$(field "$one" max_ms)
    must "reports of 500 dealers over $days days against the slowest single call" \
      "$(awk -v a="$(field "$all" p50_ms)" -v b="$slowest" 'BEGIN { printf "%.2f", a / b }')" '<=' 2.5
    must "comparison of 500 dealers over $days days against the slowest single call" \
      "$(awk -v a="$(field "$cmp" p50_ms)" -v b="$slowest" 'BEGIN { printf "%.2f", a / b }')" '<=' 2
    streamed[days]=$(peak_mb report-svc)
    down
  done
  must "report-svc's memory, 56 days against 28" \
    "$(awk -v a="${streamed[56]}" -v b="${streamed[28]}" 'BEGIN { printf "%.2f", a / b }')" '<=' 1.25
  must "aggregate-svc's memory of a comparison, 56 days against 28" \
    "$(awk -v a="${compared[56]}" -v b="${compared[28]}" 'BEGIN { printf "%.2f", a / b }')" '<=' 1.4
fi

if wants requests; then requests; fi
if wants shares; then shares "$rounds"; fi
if wants peers; then peers "$rounds"; fi
if [[ -n $against ]]; then compare "$against" "$rounds"; fi
[[ ! -e $run/errors ]] || { say "calls failed: the figures are not ones of answers"; exit 1; }
((failed == 0)) || { say "some figures missed their bound"; exit 1; }
