#!/usr/bin/env bash
# Runs the tests of a store over a real PostgreSQL, Debian's, in a folder of its own and on a socket
# of its own: tests/unit/postgres.sh TEST_PROGRAM [ARGUMENT...]. The program finds it by
# AMCP_TEST_DATABASE_URL. Exit 77 (skipped) where PostgreSQL is not installed.
set -euo pipefail

# server FOLDER kill|start|pause|resume: what the tests do to the server.
self=$(realpath "$0")
if [[ ${1:-} == server ]]; then
  folder=$2 bin=$(cat "$2/bin")
  postmaster=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)
  case $3 in
  kill)
    children=$(pgrep -P "$postmaster" || true)
    kill -KILL "$postmaster"
    for child in $children; do # they end by themselves when they notice
      while kill -0 "$child" 2>/dev/null; do sleep 0.05; done
    done
    rm -f "$folder/data/postmaster.pid"
    ;;
  start) "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 start >/dev/null ;;
  pause) kill -STOP "$postmaster" $(pgrep -P "$postmaster") ;;
  resume) kill -CONT "$postmaster" $(pgrep -P "$postmaster") ;;
  esac
  exit
fi

program=$(realpath "${1:?give the test program}")
shift
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1) || true
[[ -n $bin ]] || { echo "skipped: PostgreSQL is not installed (deploy/install-deps.sh --tests)"; exit 77; }

# PostgreSQL refuses to run as root.
as=()
folder=$(mktemp -d /tmp/amcp-postgres-XXXXXX)
if ((EUID == 0)); then
  user=nobody
  if id postgres >/dev/null 2>&1; then user=postgres; fi
  as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
  chown "$user" "$folder"
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 143' INT TERM

echo "$bin" >"$folder/bin"
chmod 755 "$folder"
cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U amcp -A trust --no-sync >/dev/null
"${as[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 40
CONF
"${as[@]}" "$self" server "$folder" start
export AMCP_TEST_DATABASE_URL="postgresql://amcp@/postgres?host=$folder"
export AMCP_TEST_SERVER="${as[*]} $self server $folder"
"$program" "$@"
