# A Docker daemon for a script that runs in namespaces of its own. A script may set before: dockerd_flags,
# and archives, the images to load from $work (all of ours).
# shellcheck shell=bash disable=SC2034
root=$1 work=$2
[[ -v dockerd_flags ]] || dockerd_flags=()
# shellcheck source=tests/images/lib.sh
source "$root/tests/images/lib.sh"
[[ -v archives ]] || archives=("${images[@]}")
ip link set lo up
export DOCKER_HOST=unix://$work/docker.sock
docker() { /usr/bin/docker "$@"; }
if ! mount -t tmpfs -o size=4g tmpfs /run 2>/dev/null; then echo "FAILED  a /run of its own"; fi
data=$(mktemp -d "$cache/docker-XXXXXX")
dockerd "${dockerd_flags[@]}" --cgroup-parent /amcp-images --data-root "$data" --exec-root "$work/docker-exec" --pidfile "$work/docker.pid" -H "$DOCKER_HOST" >"$work/dockerd.log" 2>&1 &
daemon=$!
finish() {
  kill "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  awk -v at="$data/" 'index($5, at) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l 2>/dev/null || true
  rm -rf "$data"
  find /sys/fs/cgroup -depth -type d -path '*/amcp-images*' -exec rmdir {} + 2>/dev/null || true
}
trap finish EXIT
for ((i = 0; i < 300; i++)); do
  docker info >/dev/null 2>&1 && break
  sleep 0.1
done
docker info >/dev/null 2>&1 || { echo "skipped dockerd does not start here: $(grep -m 1 'level=fatal\|failed to start' "$work/dockerd.log" || tail -n 1 "$work/dockerd.log")"; echo '-- end'; exit 0; }

# within SECONDS COMMAND...: until it succeeds
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}
load_images() {
  local name
  for name in "${archives[@]}"; do docker load -q -i "$work/$name.tar" >/dev/null; done
}
load_images
