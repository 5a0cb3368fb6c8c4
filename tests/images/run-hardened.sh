# Starts each image under hardened flags; run.sh runs this in namespaces of its own.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/images/inside.sh
source "$(dirname "${BASH_SOURCE[0]}")/inside.sh"

hardened=(--read-only --user 65532:65532 --cap-drop ALL --security-opt no-new-privileges --memory 256m --pids-limit 64)
docker network create --internal set >/dev/null
docker volume create state >/dev/null
run_() { # NAME [OPTION...] -- [ARGUMENT...]
  local name=$1 options=()
  shift
  while (($# > 0)) && [[ $1 != -- ]]; do options+=("$1"); shift; done
  (($# == 0)) || shift
  docker run -d --name "$name" --network set "${hardened[@]}" "${options[@]}" "analytics-mcp-$name:test" "$@" >/dev/null
}
healthy() { docker exec "$1" "/usr/bin/$2" healthcheck; }
is_healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$1") == healthy ]]; }
show_log() { docker logs "$1" 2>&1 | tail -n 3 | sed 's/^/        /'; }
started() { # NAME PROGRAM: and how long it took
  local began
  began=$(date +%s%N)
  if within 40 healthy "$1" "$2"; then
    ok "$1 serves, by its own healthcheck ($((($(date +%s%N) - began) / 1000000)) ms)"
  else
    bad "$1 serves, by its own healthcheck"
    show_log "$1"
  fi
}

run_ ga4-sim -v state:/var/lib/analytics-mcp -- --listen 0.0.0.0:8089 --public-url http://ga4-sim:8089 \
  --dealers 12 --days 65 --db /var/lib/analytics-mcp/world.db --write-dealers /var/lib/analytics-mcp/dealers.json
started ga4-sim ga4-sim
# Before what it needs is there, the gateway says so, within the time of a probe.
run_ gateway -e ENABLE_AUTH=false -e AUTH_SVC_ADDR=dns:///auth-svc:50051 \
  -e REPORT_SVC_ADDR=dns:///report-svc:50052 -e AGGREGATE_SVC_ADDR=dns:///aggregate-svc:50053
began=$(date +%s%N)
code=0
healthy gateway gateway >/dev/null 2>&1 || code=$?
took=$((($(date +%s%N) - began) / 1000000))
if ((code == 1 && took < 3000)); then ok "gateway's healthcheck fails while services are missing ($took ms with docker exec)"; else bad "gateway's healthcheck: exit code $code after $took ms"; fi
run_ auth-svc -v state:/var/lib/analytics-mcp:ro -e ENABLE_AUTH=false \
  -e GA_CREDENTIALS_PATH=/var/lib/analytics-mcp/dealers.json -e AUTH_ALLOW_HTTP_TOKEN_HOST=ga4-sim
started auth-svc auth-svc
run_ report-svc -e AUTH_SVC_ADDR=dns:///auth-svc:50051 -e GA4_DATA_ENDPOINT=http://ga4-sim:8089 -e GA4_ADMIN_ENDPOINT=http://ga4-sim:8089
started report-svc report-svc
run_ aggregate-svc -e AUTH_SVC_ADDR=dns:///auth-svc:50051 -e REPORT_SVC_ADDR=dns:///report-svc:50052
started aggregate-svc aggregate-svc
started gateway gateway
check 'the health that Docker sees' within 20 is_healthy gateway

ask() { docker run --rm --network set "${hardened[@]}" analytics-mcp-gateway:test ask http://gateway:3334/mcp; }
if answer=$(ask 2>&1); then ok "the first question from a second container: $answer"; else bad "the first question: $answer"; show_log gateway; fi

for name in gateway aggregate-svc report-svc auth-svc ga4-sim; do
  began=$(date +%s%N)
  docker stop -t 10 "$name" >/dev/null
  took=$((($(date +%s%N) - began) / 1000000))
  code=$(docker inspect -f '{{.State.ExitCode}}' "$name")
  if ((code == 0 && took <= 3000)); then ok "$name ends within 3 s of SIGTERM ($took ms)"; else bad "$name: exit code $code after $took ms"; show_log "$name"; fi
  refute "$name: healthcheck fails when it does not run" docker exec "$name" "/usr/bin/$name" healthcheck
done
docker rm -f gateway aggregate-svc report-svc auth-svc >/dev/null 2>&1

# The laptop's image, as one would start it: no dealers file, Google credentials of one user.
docker start ga4-sim >/dev/null
printf '{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}' >"$work/creds.json"
chmod 644 "$work/creds.json"
docker run -d --name analytics-mcp -p 3334:3334 "${hardened[@]}" -e GOOGLE_APPLICATION_CREDENTIALS=/app/creds.json \
  -v "$work/creds.json:/app/creds.json:ro" analytics-mcp-analytics-mcp:test >/dev/null
started analytics-mcp gateway
tools() {
  curl -sS --max-time 10 -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{}}}' http://127.0.0.1:3334/mcp -H "Mcp-Session-Id: $1"
}
session=$(curl -sS -D - -o /dev/null --max-time 10 -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
  -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' \
  http://127.0.0.1:3334/mcp | tr -d '\r' | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: //p')
if tools "$session" | grep -q compare_dealer_sessions; then ok 'analytics-mcp: tools/list at the published port'; else bad 'analytics-mcp: tools/list'; show_log analytics-mcp; fi
began=$(date +%s%N)
docker stop -t 15 analytics-mcp >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
code=$(docker inspect -f '{{.State.ExitCode}}' analytics-mcp)
if ((code == 0 && took <= 3000)); then ok "analytics-mcp ends within 3 s of SIGTERM ($took ms)"; else bad "analytics-mcp: exit code $code after $took ms"; show_log analytics-mcp; fi
# Without any credentials: the tools are there to look at.
tools_alone() {
  docker run -d --name bare -p 3334:3334 -e ENABLE_AUTH=false analytics-mcp-analytics-mcp:test >/dev/null
  within 40 healthy bare gateway && tools '' | grep compare_dealer_sessions &&
    curl -sS --max-time 10 -H 'Content-Type: application/json' http://127.0.0.1:3334/mcp/tools/run_report \
      -d '{"property_id": "1", "metrics": ["sessions"], "date_ranges": [{"start_date": "2026-01-01", "end_date": "2026-01-02"}]}' |
      grep 'no credentials for Google'
}
check 'analytics-mcp without credentials: lists its tools, and says what is missing' tools_alone
docker rm -f bare >/dev/null 2>&1
# The blocks of docs/DEPLOYMENT.md, word by word, by a user whose credentials nobody else may read.
mkdir -p "$work/home/.config/gcloud"
install -m 600 -o 12345 "$work/creds.json" "$work/home/.config/gcloud/application_default_credentials.json"
docker tag analytics-mcp-analytics-mcp:test analytics-mcp:latest
by_page() (
  export HOME=$work/home
  id() { echo 12345; }
  docker() { /usr/bin/docker "$1" -d --name by-page "${@:2}"; }
  export -f docker id
  run_block run/laptop "$root" && within 30 /usr/bin/docker exec by-page /usr/bin/gateway healthcheck
)
check 'docs/DEPLOYMENT.md: the laptop, which serves' by_page
inspector() { # lists the tools
  mkdir -p "$work/npm" && cp "$cache/commands/package.json" "$work/npm/" && ln -sfn "$cache/commands/node_modules" "$work/npm/node_modules"
  npm_config_offline=true run_block run/inspector "$work/npm" >"$work/tools.json" && jq -e '.tools | length > 5' "$work/tools.json"
}
if [[ -s $work/no-inspector ]]; then
  page_block run/inspector >/dev/null
  skip "docs/DEPLOYMENT.md: the Inspector: $(cat "$work/no-inspector")"
else
  check 'docs/DEPLOYMENT.md: the Inspector, which lists the tools' inspector
fi
docker rm -f by-page >/dev/null 2>&1
validates() ( # a dealers file, by the image
  cd "$work"
  cp "$root/config/dealers.example.json" dealers.json
  docker tag analytics-mcp-auth-svc:test registry.example/analytics-mcp-auth-svc:0.1.0
  REGISTRY=registry.example run_block run/validate "$work" || return 1
  echo '{"dealers": [{}]}' >dealers.json
  ! REGISTRY=registry.example run_block run/validate "$work" || { echo 'a wrong file is taken'; return 1; }
)
check 'docs/DEPLOYMENT.md: a dealers file is validated, and a wrong one refused' validates
# One program that ends takes the container with it, so that it is started again.
docker start analytics-mcp >/dev/null
within 30 healthy analytics-mcp gateway || true
pid=$(docker top analytics-mcp -o pid,comm | awk '$2 == "report-svc" {print $1}' | head -n 1)
kill -9 "$pid" 2>/dev/null || true
ended() { [[ $(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' analytics-mcp) == 'exited 1' ]]; }
check 'analytics-mcp ends with exit code 1 when one of its programs is killed' within 15 ended
docker rm -f analytics-mcp ga4-sim >/dev/null 2>&1
check 'every block of docs/DEPLOYMENT.md that is run here was' every_block_was_run run
echo '-- end'
