# Images built by docker itself: its classic builder, BuildKit, and BuildKit for the other architecture.
# run.sh runs this in namespaces of its own but for the network: the build stage installs packages.
# shellcheck shell=bash
set -euo pipefail
root=$1 work=$2
# No bridge and no rule of the firewall: the builds use this machine's network as it is.
dockerd_flags=(--bridge=none --iptables=false --ip6tables=false)
archives=(base)
# shellcheck source=tests/images/inside.sh
source "$(dirname "${BASH_SOURCE[0]}")/inside.sh"

# build BUILDKIT NAME TAG ARGUMENT...
build() {
  local kit=$1 name=$2 tag=$3
  shift 3
  DOCKER_BUILDKIT=$kit docker build -q --network host -f "$root/deploy/Dockerfile" --target "$name" \
    -t "analytics-mcp-$name:$tag" "$@" "$root"
}
# files NAME TAG: the sum of each regular file of an image
files() {
  local container dir=$work/files-$1-$2 # of its own: two run at once
  container=$(docker create "analytics-mcp-$1:$2")
  rm -rf "$dir" && mkdir "$dir"
  docker export "$container" | tar -x -C "$dir" --exclude=dev --exclude=proc --exclude=sys
  docker rm "$container" >/dev/null
  # What docker adds to a container that was never started.
  (cd "$dir" && find . -type f ! -path './etc/host*' ! -path './etc/resolv.conf' ! -name .dockerenv -exec sha256sum {} + | sort -k 2)
}

own=$(dpkg --print-architecture)
other=arm64
[[ $own != arm64 ]] || other=amd64
check 'the classic builder builds gateway' build 0 gateway classic
check 'BuildKit builds gateway' build 1 gateway buildkit
check 'the two hold the same files' diff <(files gateway classic) <(files gateway buildkit)
check 'BuildKit builds analytics-mcp, the image for a laptop, from what is built' build 1 analytics-mcp buildkit
check "BuildKit builds gateway for $other" build 1 gateway "$other" --platform "linux/$other"
check "it is an image of $other" test "$(docker inspect -f '{{.Architecture}}' "analytics-mcp-gateway:$other")" = "$other"
differ() { ! diff -q <(files gateway "$other") <(files gateway buildkit) >/dev/null; }
check "and its files are not those of $own" differ
echo '-- end'
