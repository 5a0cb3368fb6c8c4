#!/usr/bin/env bash
# Calls per second and latency of auth-svc over gRPC, and the time of its steps without.
# usage: tests/bench/auth.sh [BUILD_DIR [ROUNDS [SECONDS [CASE...]]]]
# CASE is one of bench_auth's; without, all run, with 24 and with 1,000 dealers. Built by:
#   tests/bench/run.sh auth
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$root/deploy/lib.sh"

case "${1:-}" in
-h | --help)
  sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
  exit 0
  ;;
esac
dir=${1:-$root/build-bench}
rounds=${2:-3}
seconds=${3:-2}
chosen=("${@:4}")
bin=$dir/bin
for program in bench_auth bench_rpc auth-svc; do
  if [[ ! -x $bin/$program ]]; then
    echo "$bin/$program is missing; run tests/bench/run.sh auth" >&2
    exit 2
  fi
done

# On the disk of the build, not in memory: the audit log is part of what is measured.
run=$(mktemp -d "$dir/auth.XXXXXX")
mkdir "$run/log"
base=${BENCH_PORT_BASE:-18300}
endpoint=
# Both end with their input, which closes with us at the latest.
clean_up() {
  stop_auth
  [[ -z $endpoint ]] || { exec 4>&-; wait "$endpoint" || true; }
  rm -rf "$run"
}
trap clean_up EXIT

# start_auth DEALERS FSYNC: auth-svc, its files fresh.
start_auth() {
  rm -rf "$run/audit"
  mkdir "$run/audit"
  start auth-svc "http://127.0.0.1:$((base + 1))/readyz" LOG_LEVEL=ERROR \
    GRPC_LISTEN="127.0.0.1:$base" ADMIN_LISTEN="127.0.0.1:$((base + 1))" \
    GA_CREDENTIALS_PATH="$run/world/dealers-$1.json" OAUTH_TOKEN_ENDPOINT="$token_url" \
    AUTH_JWT_KEY_FILE="$run/world/keys.json" AUTH_JWT_ISSUER=https://bench.example \
    AUTH_JWT_HS256_SECRET_FILE="$run/world/hs256.secret" AUTH_KEYRING_FILE="$run/ring" \
    AUTH_AUDIT_FILE="$run/audit/log" AUTH_AUDIT_FSYNC="$2" AUTH_SEAL_KEY="$(printf 'ab%.0s' {1..32})" \
    -- "$bin/auth-svc" >/dev/null
}
stop_auth() {
  local i
  for i in "${!pids[@]}"; do
    kill -TERM "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  pids=() names=()
}
# deploy/lib.sh starts it through setpriv, setsid and env, which all become it.
auth_pid() { echo "${pids[0]}"; }
rss_mib() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$(auth_pid)/status"; }

# CPU time a process has used, in ticks of 10 ms.
cpu_of() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
# with_cpu PID COMMAND...: what the command prints, and the process's CPU time per call in us: on
# a shared machine it moves less than calls/s. The warm-up's calls are worked out, not counted.
with_cpu() {
  local pid=$1 before result
  shift
  before=$(cpu_of "$pid")
  result=$(timeout $((seconds + 30)) "$@")
  awk -v r="$result" -v t=$(($(cpu_of "$pid") - before)) -v s="$seconds" \
    'BEGIN { split(r, f, " "); printf "%s %.1f\n", r, t * 10000 / (f[1] * (s + 0.5)) }'
}

# one DEALERS CASE IN_FLIGHT: a run; prints what bench_auth prints, and CPU time.
one() {
  with_cpu "$(auth_pid)" "$bin/bench_auth" load "127.0.0.1:$base" "$run/world" "$1" "$2" "$3" "$seconds"
  rm -f "$run"/audit/log.[0-9]* # rotated: a run may write gigabytes
}

echo_once() { # IN_FLIGHT: the raw cost of a call, beside which the others stand
  local port server
  mkfifo "$run/stop" "$run/port"
  "$bin/bench_rpc" server <"$run/stop" >"$run/port" &
  server=$!
  exec 3>"$run/stop"
  read -r port <"$run/port"
  with_cpu "$server" "$bin/bench_rpc" client "127.0.0.1:$port" "$1" "$seconds"
  exec 3>&-
  wait "$server"
  rm "$run/stop" "$run/port"
}

# measure DEALERS FSYNC CASE...: all rounds at 1 and 64 in flight; rows go to $run/rows.
measure() {
  local dealers=$1 fsync=$2 round n name
  shift 2
  start_auth "$dealers" "$fsync"
  "$bin/bench_auth" load "127.0.0.1:$base" "$run/world" "$dealers" token 1 1 >/dev/null # gets the tokens
  for ((round = 1; round <= rounds; round++)); do
    for n in 1 64; do
      for name in "$@"; do
        echo "$dealers $fsync $n $name $(one "$dealers" "$name" "$n")" >>"$run/rows"
      done
    done
  done
  rss=$(rss_mib)
  stop_auth
}

# Medians by calls/s: "CASE IN_FLIGHT CALLS P50 P99 CPU" of a part.
medians() { # DEALERS FSYNC
  sort -k3,3n -k4,4 -k5,5n "$run/rows" | awk -v d="$1" -v f="$2" '
    function flush() { if (n > 0) print line[int((n + 1) / 2)] }
    $1 == d && $2 == f {
      if ($3 " " $4 != key) { flush(); n = 0; key = $3 " " $4 }
      line[++n] = $4 " " $3 " " $5 " " $6 " " $7 " " $8
    }
    END { flush() }'
}
show() { # DEALERS FSYNC
  medians "$1" "$2" | awk '{ printf "  %-14s %2d in flight: %6d calls/s (p50 %d us, p99 %d us, %s us of CPU)\n", $1, $2, $3, $4, $5, $6 }'
}

mkdir "$run/world"
"$bin/bench_auth" make "$run/world" 24 1000 5000
"$bin/auth-svc" keygen >"$run/ring"
chmod 600 "$run/ring"
mkfifo "$run/endpoint.stop" "$run/endpoint.url"
"$bin/bench_auth" endpoint <"$run/endpoint.stop" >"$run/endpoint.url" &
endpoint=$!
exec 4>"$run/endpoint.stop"
read -r token_url <"$run/endpoint.url"

every=(token RS256 RS256-new ES256 ES256-new EdDSA EdDSA-new HS256 HS256-new account cohort list)
if ((${#chosen[@]} > 0)); then
  measure 24 second "${chosen[@]}"
  show 24 second
  measure 1000 second "${chosen[@]}"
  echo "  with 1,000 dealers:"
  show 1000 second
  exit 0
fi

for ((round = 1; round <= rounds; round++)); do
  for n in 1 64; do echo "0 none $n echo $(echo_once "$n")" >>"$run/rows"; done
done
echo "echo of bench_rpc, the cost of a call itself:"
show 0 none
measure 24 second "${every[@]}"
echo "24 dealers, audit log synced every second:"
show 24 second
for fsync in never always; do
  measure 24 "$fsync" token RS256
  echo "24 dealers, AUTH_AUDIT_FSYNC=$fsync:"
  show 24 "$fsync"
done
measure 1000 second token token-listed RS256 account cohort list
echo "1,000 dealers, audit log synced every second:"
show 1000 second

echo "resident memory, idle and after every token and 64 in flight:"
for dealers in 1000 5000; do
  start_auth "$dealers" second
  idle=$(rss_mib)
  one "$dealers" token 64 >/dev/null
  printf '  %d dealers: %s MiB, %s MiB\n' "$dealers" "$idle" "$(rss_mib)"
  if ((dealers == 1000)); then
    for role in admin dealer region listed; do
      printf '  grant of role %s: %s\n' "$role" "$("$bin/bench_auth" grant "127.0.0.1:$base" "$run/world" 1000 "$role")"
    done
  fi
  stop_auth
done

for dealers in 24 1000; do
  echo "steps without gRPC, $dealers dealers:"
  "$bin/bench_auth" parts "$run/world" "$dealers" "$rounds" | tee "$run/steps-$dealers" | sed 's/^/  /'
done

# Ratios, each of one run of this script. CPU time and steps, not calls/s: whatever else runs on
# the machine changes them little.
cpu() { # CASE DEALERS FSYNC, at 64 in flight
  medians "$2" "$3" | awk -v c="$1" '$1 == c && $2 == 64 { print $5 }'
}
step_ns() { sed -nE "s/^$2 +([0-9]+) ns$/\1/p" "$run/steps-$1"; }
ratio() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "ratio %s %.2f\n", n, a / b }'; }
ratio token/echo "$(cpu token 24 second)" "$(cpu echo 0 none)"
ratio RS256/echo "$(cpu RS256 24 second)" "$(cpu echo 0 none)"
for alg in RS256 ES256 EdDSA HS256; do
  ratio "$alg new/known" "$(step_ns 24 "jwt_verify $alg")" "$(step_ns 24 "jwt_verify, remembered")"
done
ratio "listed/one" "$(step_ns 1000 "seal_open and target_resolve, all listed")" \
  "$(step_ns 1000 "seal_open and target_resolve, role admin")"
