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
Usage: deploy/up.sh [--once] [--dealers FILE] [--host ADDR] [--port N] [--auth]
                    [--no-install] [--no-build]

Starts the set on this machine and asks "How is a dealer performing relative to its region?"
and "Which models are shoppers most engaged with?". Over the simulator one dealer is not in the set yet,
and a link is printed by which a browser connects it at the simulated Google.

  --once          stop after the answer; exit 0 only if it was right
  --dealers FILE  use Google Analytics with the dealers of FILE instead of the simulator
  --host ADDR     address of the MCP endpoint (default 127.0.0.1); 0.0.0.0 for all of this machine's,
                  as LibreChat in a container needs it
  --port N        port of the MCP endpoint (default 3334)
  --auth          callers need a bearer token; one that may read everything for a day is made,
                  used for the first question and printed. Needed for --host with --dealers
  --no-install    do not install packages
  --no-build      use what was built before
  --help          this text

Ports of the services can be moved with UP_SIM_PORT (8089), UP_AUTH_PORT (50051), UP_REPORT_PORT
(50052), UP_AGGREGATE_PORT (50053), UP_ADMIN_PORT (9464; five from there on are used) and
UP_STATUS_PORT (9480, the page that shows the state of services and dealers). OTEL_* settings count for
all services, but for OTEL_SERVICE_NAME: each has its own name.
Logs are in run/log. Exit codes: 0 stopped on request or answer right, 1 failed, 2 wrong usage.
USAGE
}

usage_error() { printf 'up.sh: %s; see deploy/up.sh --help\n' "$*" >&2; exit 2; }

# A shell that is not interactive starts a job in the background with SIGINT ignored, and bash cannot
# trap what was ignored when it began.
if [[ $(trap -p INT) == "trap -- '' SIGINT" && -z ${UP_SIGNALS_RESET:-} ]]; then
  UP_SIGNALS_RESET=1 exec env --default-signal=INT bash "${BASH_SOURCE[0]}" "$@"
fi

once=false dealers='' host=127.0.0.1 port=3334 auth=${ENABLE_AUTH:-false} install=true build=true
while (($# > 0)); do
  case "$1" in
  --once) once=true ;;
  --dealers) dealers=${2:-}; [[ -n $dealers ]] || usage_error "--dealers needs a file"; shift ;;
  --host) host=${2:-}; [[ -n $host ]] || usage_error "--host needs an address"; shift ;;
  --port) port=${2:-}; [[ -n $port ]] || usage_error "--port needs a number"; shift ;;
  --auth) auth=true ;;
  --no-install) install=false ;;
  --no-build) build=false ;;
  --help | -h) usage; exit 0 ;;
  *) usage_error "unknown argument \"$1\"" ;;
  esac
  shift
done
[[ $port =~ ^[0-9]+$ ]] && ((port > 0 && port < 65536)) ||
  usage_error "--port $port: expected a number from 1 to 65535"
[[ $host =~ ^[A-Za-z0-9.:-]+$ ]] || usage_error "--host $host: expected an address such as 0.0.0.0"
if [[ -n $dealers && (-d $dealers || ! -r $dealers) ]]; then
  usage_error "--dealers $dealers: no such file, or not readable"
fi
[[ -z $dealers ]] || dealers=$(realpath "$dealers")
[[ $auth == true || -z $dealers ]] || is_loopback "$host" ||
  usage_error "--host $host would show the dealers of $dealers to everyone who reaches it: add --auth"

sim_port=${UP_SIM_PORT:-8089} auth_port=${UP_AUTH_PORT:-50051}
report_port=${UP_REPORT_PORT:-50052} aggregate_port=${UP_AGGREGATE_PORT:-50053}
admin_port=${UP_ADMIN_PORT:-9464} status_port=${UP_STATUS_PORT:-9480}
url=http://$(reached_at "$host"):$port/mcp
bin=$root/build/bin
connect=() open_dealer=
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
port_free "$status_port" || die "port $status_port (status page) is in use; set UP_STATUS_PORT"

unset OTEL_SERVICE_NAME
common=(LOG_LEVEL="${LOG_LEVEL:-INFO}" ENABLE_AUTH="$auth")
if [[ -z $dealers ]]; then
  port_free "$sim_port" || die "port $sim_port (simulator) is in use; set UP_SIM_PORT"
  # The simulator's world is another every day.
  rm -rf "$run/dealers.json" "$run/everyone.json" "$run"/state/releases.db* "$run/connected"
  start ga4-sim "http://127.0.0.1:$sim_port/livez" -- "$bin/ga4-sim" --listen "127.0.0.1:$sim_port" \
    --world "${UP_WORLD:-demo}" --seed 42 --dealers 25 --days 400 --db "$run/world.db" --write-dealers "$run/everyone.json"
  until [[ -s $run/everyone.json ]]; do sleep 0.1; done # written right after the listener is up
  dealers=$run/dealers.json
  open_dealer=d25 # not in the set yet: its owner connects it by a link
  (umask 077; jq --arg open "$open_dealer" '.dealers |= map(select(.dealer_id != $open))' "$run/everyone.json" >"$dealers")
  google=(GA4_DATA_ENDPOINT="http://127.0.0.1:$sim_port" GA4_ADMIN_ENDPOINT="http://127.0.0.1:$sim_port")
  connect_to_simulator
else
  google=()
fi
bearer=()
if [[ $auth == true ]]; then
  [[ -s $run/bearer-secret ]] || (umask 077; openssl rand -hex 32 >"$run/bearer-secret")
  bearer=(AUTH_JWT_HS256_SECRET_FILE="$run/bearer-secret" AUTH_JWT_ISSUER=up.sh)
fi
auth_env=("${common[@]}" "${bearer[@]}" "${google[@]}" "${connect[@]}" GRPC_LISTEN="127.0.0.1:$auth_port"
  ADMIN_LISTEN="127.0.0.1:$admin_port" GA_CREDENTIALS_PATH="$dealers")
start auth-svc "http://127.0.0.1:$admin_port/readyz" "${auth_env[@]}" -- "$bin/auth-svc"
start report-svc "http://127.0.0.1:$((admin_port + 1))/readyz" "${common[@]}" "${google[@]}" \
  GRPC_LISTEN="127.0.0.1:$report_port" ADMIN_LISTEN="127.0.0.1:$((admin_port + 1))" \
  AUTH_SVC_ADDR="127.0.0.1:$auth_port" -- "$bin/report-svc"
start aggregate-svc "http://127.0.0.1:$((admin_port + 2))/readyz" "${common[@]}" \
  GRPC_LISTEN="127.0.0.1:$aggregate_port" ADMIN_LISTEN="127.0.0.1:$((admin_port + 2))" \
  AUTH_SVC_ADDR="127.0.0.1:$auth_port" REPORT_SVC_ADDR="127.0.0.1:$report_port" \
  AGGREGATE_STATE_DIR="$run/state" -- "$bin/aggregate-svc"
# Sessions outlive a restart of the gateway: their ids are sealed with this key.
"$bin/auth-svc" keygen --make "$run/session-keys" >/dev/null
hosts=()
is_loopback "$host" || hosts=(ANALYTICS_MCP_ALLOWED_HOSTS="$(names_of "$host")")
if [[ $auth == true ]]; then
  MCP_TOKEN=$(env "${bearer[@]}" "$bin/auth-svc" token mint --sub up.sh --role admin --ttl 24h)
fi
start gateway "http://127.0.0.1:$((admin_port + 3))/readyz" "${common[@]}" \
  ANALYTICS_MCP_HOST="$host" ANALYTICS_MCP_PORT="$port" "${hosts[@]}" \
  GATEWAY_SESSION_KEY_FILE="$run/session-keys" STATUS_LISTEN="127.0.0.1:$status_port" "${connect[@]}" CONNECT_OPERATOR="${CONNECT_OPERATOR:-The agency of this demonstration}" \
  ADMIN_LISTEN="127.0.0.1:$((admin_port + 3))" AUTH_SVC_ADDR="127.0.0.1:$auth_port" \
  REPORT_SVC_ADDR="127.0.0.1:$report_port" AGGREGATE_SVC_ADDR="127.0.0.1:$aggregate_port" \
  -- "$bin/gateway"

world=
if ((${#google[@]} > 0)); then world=$run/world.db; fi
right=true
ask_first_questions "$url" "$world" || right=false
[[ -z $open_dealer ]] || invite_first_dealer || right=false
if $once; then
  $right || exit 1
  exit 0
fi
$right || say "A first question failed; the set stays up, its logs are in run/log."
say "The state of services and dealers: http://127.0.0.1:$status_port/status"
how_to_connect "$url"
wait_for_exit
