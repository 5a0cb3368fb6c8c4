#!/usr/bin/env bash
# Starts the whole set on this machine: installs what is missing, builds, starts ga4-sim, auth-svc,
# report-svc, aggregate-svc and the gateway, asks a first question through MCP, and stays up until
# Ctrl-C.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/lib.sh
source "$root/deploy/lib.sh"

usage() {
  cat <<USAGE
Usage: deploy/up.sh [--once] [--dealers FILE] [--port N] [--no-install] [--no-build]

Starts the set on this machine and asks "How is a dealer performing relative to its region?".

  --once          stop after the answer; exit 0 only if it was right
  --dealers FILE  use Google Analytics with the dealers of FILE instead of the simulator
  --port N        port of the MCP endpoint (default 3334)
  --no-install    do not install packages
  --no-build      use what was built before
  --help          this text

Ports of the services can be moved with UP_SIM_PORT (8089), UP_AUTH_PORT (50051), UP_REPORT_PORT
(50052), UP_AGGREGATE_PORT (50053) and UP_ADMIN_PORT (9464; five from there on are used).
Logs are in run/log. Exit codes: 0 stopped on request or answer right, 1 failed, 2 wrong usage.
USAGE
}

once=false dealers='' port=3334 install=true build=true
while (($# > 0)); do
  case "$1" in
  --once) once=true ;;
  --dealers) dealers=${2:?--dealers needs a file}; shift ;;
  --port) port=${2:?--port needs a number}; shift ;;
  --no-install) install=false ;;
  --no-build) build=false ;;
  --help | -h) usage; exit 0 ;;
  *) echo "up.sh: unknown argument \"$1\"; see deploy/up.sh --help" >&2; exit 2 ;;
  esac
  shift
done
[[ $port =~ ^[0-9]+$ ]] && ((port > 0 && port < 65536)) || {
  echo "up.sh: --port $port: expected a number from 1 to 65535" >&2
  exit 2
}
if [[ -n $dealers && (-d $dealers || ! -r $dealers) ]]; then
  echo "up.sh: --dealers $dealers: no such file, or not readable" >&2
  exit 2
fi
[[ -z $dealers ]] || dealers=$(realpath "$dealers")

sim_port=${UP_SIM_PORT:-8089} auth_port=${UP_AUTH_PORT:-50051}
report_port=${UP_REPORT_PORT:-50052} aggregate_port=${UP_AGGREGATE_PORT:-50053}
admin_port=${UP_ADMIN_PORT:-9464}
url=http://127.0.0.1:$port/mcp
bin=$root/build/bin
run=$root/run
mkdir -p "$run/log" "$run/state"
exec 9>"$run/lock"
flock -n 9 || die "another deploy/up.sh of this checkout is running (pid $(cat "$run/pid" 2>/dev/null || echo '?')); stop it first"
echo $$ >"$run/pid"

if $install; then
  step "packages" "$root/deploy/install-deps.sh"
fi
if $build; then
  step "build" build_release
fi

trap 'stop_all' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

port_free "$port" || die "port $port is in use; choose another with --port, or stop what listens there"

common=(LOG_LEVEL="${LOG_LEVEL:-INFO}" ENABLE_AUTH="${ENABLE_AUTH:-false}")
if [[ -z $dealers ]]; then
  port_free "$sim_port" || die "port $sim_port (simulator) is in use; set UP_SIM_PORT"
  rm -f "$run/dealers.json" "$run"/state/releases.db* # the simulator's world is another every day
  start ga4-sim "http://127.0.0.1:$sim_port/livez" -- "$bin/ga4-sim" --listen "127.0.0.1:$sim_port" \
    --seed 42 --dealers 24 --days 400 --db "$run/world.db" --write-dealers "$run/dealers.json"
  dealers=$run/dealers.json
  until [[ -s $dealers ]]; do sleep 0.1; done # written right after the listener is up
  google=(GA4_DATA_ENDPOINT="http://127.0.0.1:$sim_port" GA4_ADMIN_ENDPOINT="http://127.0.0.1:$sim_port")
else
  google=()
fi
start auth-svc "http://127.0.0.1:$admin_port/readyz" "${common[@]}" \
  GRPC_LISTEN="127.0.0.1:$auth_port" ADMIN_LISTEN="127.0.0.1:$admin_port" \
  GA_CREDENTIALS_PATH="$dealers" -- "$bin/auth-svc"
start report-svc "http://127.0.0.1:$((admin_port + 1))/readyz" "${common[@]}" "${google[@]}" \
  GRPC_LISTEN="127.0.0.1:$report_port" ADMIN_LISTEN="127.0.0.1:$((admin_port + 1))" \
  AUTH_SVC_ADDR="127.0.0.1:$auth_port" -- "$bin/report-svc"
start aggregate-svc "http://127.0.0.1:$((admin_port + 2))/readyz" "${common[@]}" \
  GRPC_LISTEN="127.0.0.1:$aggregate_port" ADMIN_LISTEN="127.0.0.1:$((admin_port + 2))" \
  AUTH_SVC_ADDR="127.0.0.1:$auth_port" REPORT_SVC_ADDR="127.0.0.1:$report_port" \
  AGGREGATE_STATE_DIR="$run/state" -- "$bin/aggregate-svc"
# Sessions outlive a restart of the gateway: their ids are sealed with this key.
[[ -s $run/session-keys ]] || (umask 077; "$bin/auth-svc" keygen >"$run/session-keys.new" &&
  mv "$run/session-keys.new" "$run/session-keys")
start gateway "http://127.0.0.1:$((admin_port + 3))/readyz" "${common[@]}" \
  ANALYTICS_MCP_HOST=127.0.0.1 ANALYTICS_MCP_PORT="$port" \
  GATEWAY_SESSION_KEY_FILE="$run/session-keys" \
  ADMIN_LISTEN="127.0.0.1:$((admin_port + 3))" AUTH_SVC_ADDR="127.0.0.1:$auth_port" \
  REPORT_SVC_ADDR="127.0.0.1:$report_port" AGGREGATE_SVC_ADDR="127.0.0.1:$aggregate_port" \
  -- "$bin/gateway"

right=true
ask_first_question "$url" || right=false
if [[ ${#google[@]} -gt 0 ]] && $right; then
  check_against_world "$run/world.db" || right=false
fi
if $once; then
  $right || exit 1
  exit 0
fi
$right || say "The first question failed; the set stays up, its logs are in run/log."
how_to_connect "$url"
wait_for_exit
