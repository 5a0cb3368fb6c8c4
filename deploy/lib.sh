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
    if ((SECONDS - began > 120)); then
      printf 'not ready\n'
      tail -n 5 "$run/log/$name.log" >&2
      die "$name was not ready after 120 s; its log is run/log/$name.log"
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
  curl -sS --max-time 120 -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2025-11-25' \
    ${MCP_TOKEN:+-H "Authorization: Bearer $MCP_TOKEN"} "$@" --data "$body" "$mcp_url"
}

# Calls a tool and prints its result. $1 name, $2 arguments (JSON).
mcp_tool() {
  local answer
  answer=$(mcp_post "$(jq -nc --arg name "$1" --argjson arguments "$2" \
    '{jsonrpc:"2.0",id:2,method:"tools/call",params:{name:$name,arguments:$arguments}}')" \
    -H "Mcp-Session-Id: $mcp_session") || return 1
  if [[ $(jq -r '.result.isError // false' <<<"$answer") != false || $(jq 'has("error")' <<<"$answer") == true ]]; then
    say "$1: $(jq -r '.error.message // .result.content[0].text' <<<"$answer")" >&2
    return 1
  fi
  jq -c '.result' <<<"$answer"
}

# Opens a session the way every client does.
mcp_connect() {
  local headers
  headers=$(mktemp)
  mcp_post '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"up.sh","version":"1"}}}' \
    -D "$headers" >/dev/null || { rm -f "$headers"; return 1; }
  mcp_session=$(tr -d '\r' <"$headers" | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: *//p')
  rm -f "$headers"
  mcp_post '{"jsonrpc":"2.0","method":"notifications/initialized"}' -H "Mcp-Session-Id: $mcp_session" >/dev/null
}

ask_first_question() {
  mcp_url=$1
  local dealers subject name
  mcp_connect || { say "the gateway did not answer at $mcp_url" >&2; return 1; }
  dealers=$(mcp_tool list_dealers '{"limit":500}') || return 1
  read -r subject name < <(jq -r '.structuredContent | .columns as $c
    | .rows[0] // [] | "\(.[$c | index("dealer_id")] // "") \(.[$c | index("name")] // "")"' <<<"$dealers")
  [[ -n $subject ]] || { say "list_dealers returned no dealer" >&2; return 1; }
  say ""
  say "How is $name performing relative to its region?"
  # Four whole weeks whose last day is finished in every time zone.
  answer_start=$(date -u -d '30 days ago' +%F) answer_end=$(date -u -d '3 days ago' +%F)
  answer=$(mcp_tool compare_dealer_sessions "$(jq -nc --arg s "$subject" --arg from "$answer_start" \
    --arg to "$answer_end" '{subject:$s, date_range:{start_date:$from, end_date:$to}}')") || return 1
  answer_subject=$subject
  jq -r '.content[0].text' <<<"$answer"
}

# Recomputes the answer from the simulator's database with plain SQL.
check_against_world() {
  local truth
  truth=$(sed -e "s/:subject/'$answer_subject'/g" -e "s/:start/'${answer_start//-/}'/g" \
    -e "s/:end/'${answer_end//-/}'/g" "$root/deploy/truth.sql" | sqlite3 -readonly -json "$1") || return 1
  if jq -e -n --argjson answer "$(jq -c .structuredContent <<<"$answer")" --argjson truth "$truth" --arg s "$answer_subject" \
    -f "$root/deploy/check.jq" >/dev/null; then
    say "Checked: the figures equal those computed by SQL from the simulator's database."
    return 0
  fi
  say "The answer differs from what SQL computes from the simulator's database:" >&2
  say "$truth" >&2
  return 1
}

how_to_connect() {
  local hostport=${1#http://}
  hostport=${hostport%%/*}
  cat <<TEXT

The MCP endpoint is $1

LibreChat (librechat.yaml):
  mcpSettings:
    allowedAddresses: ["$hostport"]
  mcpServers:
    analytics:
      type: streamable-http
      url: $1
      timeout: 120000
      serverInstructions: true

MCP Inspector:
  npx @modelcontextprotocol/inspector --cli $1 --transport http --method tools/list

Logs are in run/log. Ctrl-C stops everything.
TEXT
}
