# Functions of up.sh: steps, processes, the first question.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
die() {
  printf 'up.sh: %s\n' "$*" >&2
  exit 1
}

# step NAME COMMAND...: runs a command and says how long it took.
step() {
  local name=$1 began=$SECONDS
  shift
  printf '%-14s' "$name"
  if ! "$@" 9>&-; then
    printf 'failed\n'
    return 1
  fi
  printf 'ok (%d s)\n' $((SECONDS - began))
}

build_release() {
  local log=$run/log/build.log
  {
    [[ -f $root/build/build.ninja ]] ||
      cmake -G Ninja -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DAMCP_TESTS=OFF \
        -DAMCP_WERROR=OFF
    ninja -C "$root/build"
  } >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "the build failed; the whole log is $log"
  }
}

port_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

is_loopback() { [[ $1 == localhost || $1 == 127.* || $1 == ::1 ]]; }

# The address by which this machine reaches what listens on $1, as it stands in a URL.
reached_at() {
  case $1 in
  0.0.0.0) echo 127.0.0.1 ;;
  ::) echo '[::1]' ;;
  *:*) echo "[$1]" ;;
  *) echo "$1" ;;
  esac
}

# The names by which others reach what listens on $1: the gateway answers to no other Host.
names_of() {
  local address list="localhost,127.0.0.1,[::1],host.docker.internal,$(hostname)"
  case $1 in
  0.0.0.0 | ::)
    for address in $(hostname -I 2>/dev/null); do
      if [[ $address == *:* ]]; then address="[$address]"; fi
      list+=",$address"
    done
    ;;
  *) list+=",$(reached_at "$1")" ;;
  esac
  echo "$list"
}

names=() pids=()

# start NAME READY_URL [VAR=value...] -- COMMAND...: starts a process in a session of its own, so
# that Ctrl-C reaches it through us in the right order, and waits until it is ready. It also ends
# if we are killed.
start() {
  local name=$1 ready=$2 began=$SECONDS env=()
  shift 2
  while [[ $1 != -- ]]; do
    env+=("$1")
    shift
  done
  shift
  printf '%-14s' "$name"
  setpriv --pdeathsig TERM setsid env "${env[@]}" "$@" >"$run/log/$name.log" 2>&1 9>&- &
  names+=("$name")
  pids+=($!)
  while ! curl -fsS -o /dev/null --max-time 2 "$ready" 2>/dev/null; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null; then
      printf 'ended at once\n'
      tail -n 5 "$run/log/$name.log" >&2
      die "$name did not start; its log is run/log/$name.log"
    fi
    if ((SECONDS - began > 300)); then
      printf 'not ready\n'
      tail -n 5 "$run/log/$name.log" >&2
      die "$name was not ready after 300 s; its log is run/log/$name.log"
    fi
    sleep 0.1
  done
  printf 'ready (pid %d, %d s)\n' "${pids[-1]}" $((SECONDS - began))
}

# Stops the processes, the last started first, and tells of any that did not end cleanly.
stop_all() {
  local status=$? i pid code waited
  trap '' INT TERM
  trap - EXIT
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill -TERM "$pid" 2>/dev/null || true
    waited=0
    while kill -0 "$pid" 2>/dev/null && ((waited < 150)); do
      sleep 0.1
      waited=$((waited + 1))
    done
    if kill -0 "$pid" 2>/dev/null; then
      say "${names[i]} did not stop within 15 s and is killed"
      kill -KILL "$pid" 2>/dev/null || true
    fi
    code=0
    wait "$pid" 2>/dev/null || code=$?
    ((code == 0)) || say "${names[i]} ended with exit code $code; its log is run/log/${names[i]}.log"
  done
  ((${#pids[@]} == 0)) || say "stopped"
  rm -f "$run/pid"
  # Ctrl-C is the way to end a set that is up.
  if ((status == 130 || status == 143)); then status=0; fi
  exit "$status"
}

# Waits until Ctrl-C, or until one of the processes ends.
wait_for_exit() {
  local i
  while true; do
    for ((i = 0; i < ${#pids[@]}; i++)); do
      kill -0 "${pids[i]}" 2>/dev/null || die "${names[i]} ended; its log is run/log/${names[i]}.log"
    done
    sleep 1
  done
}

# One MCP request over HTTP; prints the JSON-RPC answer. $1 body, rest: further curl arguments.
mcp_post() {
  local body=$1
  shift
  curl -sS --fail-with-body --max-time 120 -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2025-11-25' \
    ${MCP_TOKEN:+-H "Authorization: Bearer $MCP_TOKEN"} "$@" --data "$body" "$mcp_url"
}

# Calls a tool and prints its result. $1 name, $2 arguments (JSON).
mcp_tool() {
  local answer
  answer=$(mcp_post "$(jq -nc --arg name "$1" --argjson arguments "$2" \
    '{jsonrpc:"2.0",id:2,method:"tools/call",params:{name:$name,arguments:$arguments}}')" \
    -H "Mcp-Session-Id: $mcp_session") || return 1
  # An answer that takes a while comes as an event stream; its last event holds it.
  if [[ $answer != "{"* ]]; then answer=$(sed -n 's/^data: *//p' <<<"$answer" | tail -n 1); fi
  if [[ $(jq -r '.result.isError // false' <<<"$answer") != false || $(jq 'has("error")' <<<"$answer") == true ]]; then
    say "$1: $(jq -r '.error.message // .result.content[0].text' <<<"$answer")" >&2
    return 1
  fi
  jq -c '.result' <<<"$answer"
}

# Says why there is no session. $1: the headers of the answer, empty when there was none.
refused() {
  local status
  status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$1")
  case $status in
  401) say "the gateway at $mcp_url requires a bearer token (401): start up.sh with --auth, or set MCP_TOKEN" >&2 ;;
  '') say "the gateway did not answer at $mcp_url" >&2 ;;
  *) say "the gateway at $mcp_url refused a session (HTTP status $status)" >&2 ;;
  esac
}

# Opens a session the way every client does.
mcp_connect() {
  local headers
  headers=$(mktemp)
  mcp_post '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"up.sh","version":"1"}}}' \
    -D "$headers" >/dev/null 2>&1 || { refused "$headers"; rm -f "$headers"; return 1; }
  mcp_session=$(tr -d '\r' <"$headers" | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: *//p')
  rm -f "$headers"
  mcp_post '{"jsonrpc":"2.0","method":"notifications/initialized"}' -H "Mcp-Session-Id: $mcp_session" >/dev/null
}

# Asks a tool and prints the question and its answer, which stays in $answer. $1 question, $2 tool,
# $3 arguments.
ask() {
  answer=$(mcp_tool "$2" "$3") || return 1
  say ""
  say "$1"
  jq -r '.content[0].text' <<<"$answer"
}

# SQL over the simulator's world ($1), its dates those of the answer's period. $2 file.
truth_of() {
  local from to left_out
  read -r from to < <(jq -r '.structuredContent.period | "\(.start_date) \(.end_date)"' <<<"$answer")
  left_out=$(jq -r '[.structuredContent.coverage.left_out[]? | select(.figures == "all") | .dealer_id]
    | join(" ") | gsub("[^a-z0-9 ]"; "")' <<<"$answer")
  sed -e "s/:subject/'${subject:-}'/g" -e "s/:open/'${open_dealer:-}'/g" -e "s/:start/'${from//-/}'/g" -e "s/:end/'${to//-/}'/g" \
    -e "s|:left_out|' $left_out '|g" "$root/deploy/$2" | sqlite3 -readonly -json "$1"
}

# Whether the answer equals what SQL computes. $1 world, $2 SQL, $3 comparison; no world, no check.
checked() {
  local truth
  [[ -n $1 ]] || return 0
  truth=$(truth_of "$1" "$2") || return 1
  if jq -e -n --argjson answer "$(jq -c .structuredContent <<<"$answer")" --argjson truth "$truth" \
    --arg s "${subject:-}" -f "$root/deploy/$3" >/dev/null; then
    say "Checked: the figures equal those computed by SQL from the simulator's database."
    return 0
  fi
  say "The answer differs from what SQL computes from the simulator's database:" >&2
  say "$truth" >&2
  return 1
}

# Settings by which dealers connect at the simulator's consent screen, in $connect, and the keys that
# they need. The client is the one that the simulator knows.
connect_to_simulator() {
  local sim=http://127.0.0.1:$sim_port
  [[ -s $run/keyring ]] || (umask 077; "$bin/auth-svc" keygen >"$run/keyring.new" && mv "$run/keyring.new" "$run/keyring")
  [[ -s $run/seal-key ]] || (umask 077; openssl rand -hex 32 >"$run/seal-key")
  (umask 077; printf %s GOCSPX-connect-of-the-simulator >"$run/client-secret")
  connect=(CONNECT_URL="${url%/mcp}/connect" CONNECT_CLIENT_ID=900000000002-connect.apps.googleusercontent.com
    CONNECT_CLIENT_SECRET_FILE="$run/client-secret" CONNECT_AUTHORIZATION_ENDPOINT="$sim/o/oauth2/v2/auth"
    CONNECT_REVOKE_ENDPOINT="$sim/revoke" OAUTH_TOKEN_ENDPOINT="$sim/token"
    AUTH_STATE_DIR="$run/connected" AUTH_KEYRING_FILE="$run/keyring" AUTH_SEAL_KEY_FILE="$run/seal-key")
}

# Makes a link for the dealer that is not in the set, looks at it as a browser does, and prints it with
# the command that makes another.
invite_first_dealer() {
  local name region link
  IFS=$'\t' read -r name region < <(jq -r --arg id "$open_dealer" \
    '.dealers[] | select(.dealer_id == $id) | "\(.name)\t\(.region)"' "$run/everyone.json")
  (umask 077; printf '%s\n' '#!/bin/sh' "exec env $(printf '%q ' "${auth_env[@]}")$(printf %q "$bin/auth-svc") \"\$@\"" \
    >"$run/auth-svc" && chmod 700 "$run/auth-svc")
  link=$("$run/auth-svc" invite "$open_dealer" --name "$name" --region "$region" --label up.sh 2>/dev/null) ||
    { say "no link could be made for $open_dealer; run/log/auth-svc.log says why" >&2; return 1; }
  curl -fsS --max-time 10 "$link" 2>/dev/null | grep -qF "$name" ||
    { say "the page of the link $link does not name $name" >&2; return 1; }
  say "
$name is not in the set yet. Its owner connects it by this link, valid once and for 30 minutes (sign in as its
owner at the simulated Google):
  $link
Another link: run/auth-svc invite $open_dealer --name \"$name\" --region \"$region\"
Who is connected: run/auth-svc connections (docs/ONBOARDING.md)"
}

# Both questions the set is made for. $1 endpoint, $2 the simulator's world or nothing: its dealer d03
# turns twice as many visits into leads as the others.
ask_first_questions() {
  mcp_url=$1
  local world=$2 dealers subject name
  mcp_connect || return 1
  dealers=$(mcp_tool list_dealers '{"limit":500}') || return 1
  IFS=$'\t' read -r subject name < <(jq -r --arg wanted "${world:+d03}" '.structuredContent
    | .columns as $c | [.rows[] | {id: .[$c | index("dealer_id")], name: .[$c | index("name")]}]
    | ([.[] | select(.id == $wanted)] + .)[0] // {id: "", name: ""} | "\(.id)\t\(.name)"' <<<"$dealers")
  [[ -n $subject ]] || { say "list_dealers returned no dealer" >&2; return 1; }
  ask "How is $name performing relative to its region?" compare_dealer_sessions \
    "$(jq -nc --arg s "$subject" '{subject: $s}')" || return 1
  checked "$world" truth.sql check.jq || return 1
  ask "Which models are shoppers most engaged with across our sites?" analyze_vehicle_interest \
    '{"limit":5}' || return 1
  checked "$world" models.sql models.jq
}

# How clients connect to $1; with MCP_TOKEN set, by that token.
how_to_connect() {
  local hostport=${1#http://}
  hostport=${hostport%%/*}
  say "
The MCP endpoint is $1
"
  if [[ -n ${MCP_TOKEN:-} ]]; then
    say "The token of this run, good for a day:
  export ANALYTICS_TOKEN=$MCP_TOKEN
"
  fi
  say "LibreChat (librechat.yaml; docs/LIBRECHAT.md has the entry for one in Docker):
  mcpSettings:
    allowedAddresses: [\"$hostport\"]
  mcpServers:
    analytics:
      type: streamable-http
      url: $1
      timeout: 120000
      serverInstructions: true"
  [[ -z ${MCP_TOKEN:-} ]] || say '      requiresOAuth: false
      headers: {Authorization: "Bearer ${ANALYTICS_TOKEN}"}'
  say "
MCP Inspector:
  npx @modelcontextprotocol/inspector --cli $1 --transport http --method tools/list${MCP_TOKEN:+ \\
    --header \"Authorization: Bearer \$ANALYTICS_TOKEN\"}

Logs are in run/log. Ctrl-C stops everything."
}
