#!/bin/sh
# Calls per second and latency of common/rpc beside a minimal gRPC-core echo, alternately.
# usage: tests/bench/rpc.sh [BUILD_DIR [ROUNDS [SECONDS]]]
# Build first: cmake -C cmake/shipped.cmake -S . -B build-bench -G Ninja -DAMCP_BENCH=ON \
#   && ninja -C build-bench bench_rpc bench_raw_echo
set -eu

case "${1:-}" in
-h | --help)
  sed -n '2,6s/^# //p' "$0"
  exit 0
  ;;
esac
bin=${1:-build-bench}/bin
rounds=${2:-3}
seconds=${3:-3}
for program in bench_rpc bench_raw_echo; do
  if [ ! -x "$bin/$program" ]; then
    echo "$bin/$program is missing; --help says how to build it" >&2
    exit 2
  fi
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# One run: server and client in processes of their own; the server ends with its input.
run() { # program in_flight
  mkfifo "$dir/stop" "$dir/port"
  "$bin/$1" server <"$dir/stop" >"$dir/port" &
  server=$!
  exec 3>"$dir/stop"
  read -r port <"$dir/port"
  timeout $((seconds + 10)) "$bin/$1" client "127.0.0.1:$port" "$2" "$seconds"
  exec 3>&-
  wait "$server"
  rm "$dir/stop" "$dir/port"
}

echo "in_flight round program calls/s p50_us p99_us"
for in_flight in 1 64; do
  round=1
  while [ "$round" -le "$rounds" ]; do
    for program in bench_raw_echo bench_rpc; do
      result=$(run "$program" "$in_flight")
      echo "$in_flight $round $program $result"
      echo "$in_flight $program $result" >>"$dir/all"
    done
    round=$((round + 1))
  done
done

# Medians, and what common/rpc reaches of the raw echo's calls/s.
for in_flight in 1 64; do
  for program in bench_raw_echo bench_rpc; do
    grep "^$in_flight $program " "$dir/all" | sort -k3n |
      awk '{ v[NR] = $0 } END { print v[int((NR + 1) / 2)] }' >>"$dir/medians"
  done
done
awk '{ rate[$1, $2] = $3; p50[$1, $2] = $4; p99[$1, $2] = $5; seen[$1] = 1 }
  END {
    for (n = 1; n <= 64; n += 63)
      printf "%d in flight: raw %d calls/s (p50 %d us, p99 %d us), common/rpc %d calls/s (p50 %d us, p99 %d us), ratio %.2f\n",
        n, rate[n, "bench_raw_echo"], p50[n, "bench_raw_echo"], p99[n, "bench_raw_echo"],
        rate[n, "bench_rpc"], p50[n, "bench_rpc"], p99[n, "bench_rpc"],
        rate[n, "bench_rpc"] / rate[n, "bench_raw_echo"]
  }' "$dir/medians"
