# docker-compose.yml with a real daemon; run.sh runs this in namespaces of its own.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/images/inside.sh
source "$(dirname "${BASH_SOURCE[0]}")/inside.sh"
# COMPOSE: another program than Debian's docker-compose 1.29, such as a docker-compose of version 2.
export COMPOSE=${COMPOSE:-docker-compose}
command -v "$COMPOSE" >/dev/null || { echo 'skipped docker-compose is missing'; echo '-- end'; exit 0; }

copy=$work/copy
mkdir -p "$copy/config"
cp -r "$root"/docker-compose*.yml "$root/.env.example" "$root/deploy" "$copy/"
export COMPOSE_PROJECT_NAME=amcp IMAGE_TAG=test ANALYTICS_MCP_PORT=3334
# For blocks of the page: docker-compose in place of the plugin; images are there already, and terminals are not.
docker() {
  [[ $1 == compose ]] || { /usr/bin/docker "$@"; return; }
  local words=" ${*:2}"
  words=${words/ up --build/ up -d --no-build}
  # shellcheck disable=SC2086
  "$COMPOSE" ${words/ exec / exec -T }
}
sudo() { "$@"; }
export -f docker sudo
of_page() { run_block "compose/$1" "$copy"; }
compose() { (cd "$copy" && "$COMPOSE" "$@"); }
services=(ga4-sim auth-svc report-svc aggregate-svc gateway)
id_of() { compose ps -q "$1"; }
running() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$(id_of "$1")") == healthy ]]; }
restarted() { (($(docker inspect -f '{{.RestartCount}}' "$(id_of "$1")") > 0)) && running "$1"; }
ask() { docker run --rm --network "$1" --read-only --cap-drop ALL analytics-mcp-gateway:test ask http://analytics-mcp:3334/mcp; }

for profile in '' live redis postgres monitoring; do
  check "the file is valid ${profile:+with the profile $profile}" compose ${profile:+--profile "$profile"} config -q
done
cp "$copy/.env.example" "$copy/.env"
check 'the file is valid with .env.example' compose --profile live config -q
rm "$copy/.env"
both=(-f docker-compose.yml -f docker-compose.status.yml)
check 'the files are valid with the page for operators' compose "${both[@]}" --profile live config -q

# 15 s, longer where others use the processors.
limit=$(awk -v cores="$(nproc)" '{busy = $1 / cores; print int(15000 * (busy > 1 ? busy : 1))}' /proc/loadavg)
began=$(date +%s%N)
if of_page demo >"$work/compose.log" 2>&1 && within 30 running gateway; then
  took=$((($(date +%s%N) - began) / 1000000))
  if ((took <= limit)); then ok "the demo is ready $took ms after up, by docs/DEPLOYMENT.md (at most $limit ms at this load)"; else bad "the demo took $took ms, more than $limit ms"; fi
else
  bad 'the demo comes up'
  tail -n 5 "$work/compose.log"
  for name in "${services[@]}"; do compose logs "$name" 2>&1 | tail -n 3; done
fi
if answer=$(ask analytics-mcp_front 2>&1); then ok "the first question at http://analytics-mcp:3334/mcp: $answer"; else bad "the first question: $answer"; fi
check 'docs/DEPLOYMENT.md: the same by docker compose exec' of_page ask
# A client set up from docs/LIBRECHAT.md, in a container with this machine's Node.
librechat() {
  docker run --rm --network analytics-mcp_front --read-only --cap-drop ALL --security-opt no-new-privileges -v /usr:/usr:ro \
    -v "$root/tests/e2e:/set/tests/e2e:ro" -v "$root/docs:/set/docs:ro" --entrypoint "$(command -v node)" \
    analytics-mcp-gateway:test /set/tests/e2e/docs/librechat-network.mjs
}
if [[ $(readlink -f "$(command -v node)") != /usr/* || ! -d $root/tests/e2e/node_modules ]]; then
  skip 'a client set up as LibreChat is: Node or tests/e2e/node_modules is missing (npm ci)'
elif answer=$(librechat 2>&1); then
  ok "a client set up as LibreChat is, in a second container: $answer"
else
  bad "a client set up as LibreChat is: $(tail -n 5 <<<"$answer")"
fi
check 'the port is published on loopback' curl -s -o /dev/null --max-time 5 http://127.0.0.1:3334/mcp
published() { docker ps --format '{{.Ports}}' | tr -d ' ' | tr , '\n' | grep -e '->' | sort -u | tr '\n' ' '; }
check 'and nothing else' test "$(published)" = '127.0.0.1:3334->3334/tcp '
# Networks of a container, and whether each is an inner one, which leads nowhere.
networks() { docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$(id_of "$1")" | xargs docker network inspect -f '{{.Name}}:{{.Internal}}' | tr '\n' ' '; }
for name in ga4-sim auth-svc report-svc aggregate-svc; do check "$name is in the inner network alone" test "$(networks "$name")" = 'amcp_demo:true '; done
check 'the gateway is also where clients are' test "$(networks gateway)" = 'amcp_demo:true analytics-mcp_front:false '
# Secrets: the demo's volume is mounted by the simulator and auth-svc alone, read-only for the latter.
mounts() { docker inspect -f '{{range .Mounts}}{{.Destination}}:{{.RW}} {{end}}' "$(id_of "$1")" | xargs -n 1 | sort | xargs; }
check 'report-svc has no mount, so no secret' test -z "$(mounts report-svc)"
check 'the gateway has the key of its sessions alone, and may only read' test "$(mounts gateway)" = '/etc/analytics-mcp/session:false'
check 'aggregate-svc has its releases alone' test "$(docker inspect -f '{{range .Mounts}}{{.Name}}:{{.RW}} {{end}}' "$(id_of aggregate-svc)")" = 'amcp_demo-releases:true '
check 'auth-svc may only read' test "$(mounts auth-svc)" = '/var/lib/analytics-mcp:false'
flags() { docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}} {{.HostConfig.PidsLimit}} {{.Config.User}}' "$(id_of "$1")"; }
for name in "${services[@]}"; do
  check "$name: read-only, no capability, no new privilege, limits" test "$(flags "$name")" = 'true [ALL] [no-new-privileges:true] true 64 65532:65532'
done
# post HEADER... BODY: to the endpoint, as a client does.
post() {
  local headers=() header
  for header in "${@:1:$#-1}"; do headers+=(-H "$header"); done
  curl -s -D "$work/headers" -o /dev/null -w '%{http_code}' --max-time 5 -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' "${headers[@]}" -d "${@: -1}" http://127.0.0.1:3334/mcp
}
post '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"compose","version":"1"}}}' >/dev/null
session=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: *//p')
for name in "${services[@]}"; do
  kill -9 "$(docker inspect -f '{{.State.Pid}}' "$(id_of "$name")")"
  check "$name is killed and comes back" within 40 restarted "$name"
done
asks_again() { ask analytics-mcp_front; }
check 'the first question after that' within 40 asks_again
check 'the session of before is still served by the new gateway' test \
  "${session:+$(post "Mcp-Session-Id: $session" 'MCP-Protocol-Version: 2025-06-18' '{"jsonrpc":"2.0","id":2,"method":"ping"}')}" = 200
# What was released outlives the container: the store is on the volume, the warning about none is not there.
no_warning() { ! compose logs aggregate-svc 2>&1 | grep AGGREGATE_STATE_DIR; }
check 'released figures are kept' no_warning

# The page for operators, which the demo above did not have.
check 'docs/DEPLOYMENT.md: the certificates of the page for operators' of_page certificates
check 'docs/DEPLOYMENT.md: the demo with that page' of_page status
within 30 running gateway || true
shown() { of_page status-page >"$work/status.json" && jq -e "$1" "$work/status.json"; }
check 'docs/DEPLOYMENT.md: the page, with 24 dealers and four services in order' shown \
  '(.dealers | length == 24) and ([.services[] | select(.state == "ok")] | length == 4)'
refute 'nobody opens it without a certificate' curl -sS --max-time 5 --cacert "$copy/certificates/ca.pem" https://localhost:9480/status
check 'it is published on loopback alone' test "$(published)" = '127.0.0.1:3334->3334/tcp 127.0.0.1:9480->9480/tcp '
check 'the gateway has these three files beside the key, and may only read' test \
  "$(mounts gateway) $(find "$copy/certificates/gateway" -type f -printf '%f\n' | sort | tr '\n' ' ')" = '/etc/analytics-mcp/session:false /etc/analytics-mcp/status:false ca.pem page.key page.pem '
compose down -v -t 10 >/dev/null 2>&1

# Live: a dealers file of one's own; here the simulator's, so nothing outside is asked.
docker run --rm --user 0:0 -v "$copy/config:/out" analytics-mcp-ga4-sim:test --generate-only --days 1 --dealers 6 \
  --public-url https://oauth2.googleapis.com --db /out/world.db --write-dealers /out/dealers.json
rm -f "$copy"/config/world.db*
cat >"$copy/.env" <<'ENV'
AUTH_JWT_MAX_LIFE_S=28800
AUTH_AUDIT_FILE=/var/lib/analytics-mcp/audit.log
AUTH_REQUIRE_AUDIT=true
AUTH_AUDIT_SINK=stdout
REPORT_BENCHMARK_REPORTS=500
ENV
check 'docs/DEPLOYMENT.md: the dealers file is for the containers alone' of_page dealers
check 'docs/DEPLOYMENT.md: a key for tokens' of_page issuer
if of_page live >"$work/compose.log" 2>&1 && within 30 running live-gateway; then
  ok 'live is ready with config/dealers.json, by docs/DEPLOYMENT.md'
else
  bad 'live is ready with config/dealers.json'
  tail -n 5 "$work/compose.log"
  compose --profile live logs live-auth 2>&1 | tail -n 5
fi
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 5 -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d '{"jsonrpc":"2.0","id":1,"method":"ping"}' http://127.0.0.1:3334/mcp; }
check 'live refuses a caller without a token' test "$(status)" = 401
docker tag analytics-mcp-auth-svc:test analytics-mcp-auth-svc:latest
opens_six() { of_page token >"$work/dealers.json" && jq -e '.total == 6' "$work/dealers.json"; }
check 'docs/DEPLOYMENT.md: a token opens the six dealers' opens_six
# The refusal above is a line of the audit log, on its volume and, by the sink, on standard output.
audited() { docker run --rm -v amcp_auth:/var/lib/analytics-mcp:ro analytics-mcp-auth-svc:test audit verify --allow-unkeyed /var/lib/analytics-mcp/audit.log; }
check 'the audit log is on its volume, and whole' audited
sunk() { compose --profile live logs live-auth 2>/dev/null | grep -q '"seq"'; }
check 'and its lines go to standard output as well' within 10 sunk
generation() { nsenter -t "$(docker inspect -f '{{.State.Pid}}' "$(id_of live-auth)")" -n curl -s http://127.0.0.1:9464/metrics | sed -n 's/^auth_config_generation \([0-9]*\).*/\1/p'; }
first=$(generation)
generation_is_above() { (($(generation) > $1)); }
sed -i 's/"name": "\([^"]*\)"/"name": "\1 (edited)"/' "$copy/config/dealers.json" # sed -i renames
check 'a dealers file that is replaced is read again' within 15 generation_is_above "$first"
first=$(generation)
sed 's/ (edited)/ (in place)/' "$copy/config/dealers.json" >"$work/new.json"
cat "$work/new.json" >"$copy/config/dealers.json"
check 'a dealers file that is edited in place is read again' within 15 generation_is_above "$first"
check 'live with the page for operators' compose "${both[@]}" --profile live up -d --no-build live-gateway
within 30 running live-gateway || true
check 'it shows six dealers and four services in order' shown \
  '(.dealers | length == 6) and ([.services[] | select(.state == "ok")] | length == 4)'
compose "${both[@]}" --profile live down -v -t 10 >/dev/null 2>&1

# redis and postgres of the file are public images, which need a registry.
skip 'profiles redis, postgres, monitoring: their images come from a registry; the file was checked above'
check 'every block of docs/DEPLOYMENT.md that is run here was' every_block_was_run compose
echo '-- end'
