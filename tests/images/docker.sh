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
docker() { # builds have the network
  if [[ $1 == build ]]; then
    /usr/bin/docker build -q --network host "${@:2}"
  else
    /usr/bin/docker "$@"
  fi
}
export -f docker
name_of() { if [[ $1 == analytics-mcp ]]; then echo "$1"; else echo "analytics-mcp-$1"; fi; }
# build KIT TAG: every image, by the lines of docs/DEPLOYMENT.md; its tag is TAG then
build() {
  local name
  export DOCKER_BUILDKIT=$1
  run_block docker/images "$root" && run_block docker/laptop "$root" || return 1
  for name in "${images[@]}"; do
    docker tag "$(name_of "$name"):latest" "$(name_of "$name"):$2"
    docker rmi "$(name_of "$name"):latest" >/dev/null # the next build must make its own
  done
}
took() { echo "$((SECONDS - began)) s"; }
# unpack NAME TAG: the files of an image; prints their folder
unpack() {
  local container dir=$work/files-$1-$2
  container=$(docker create "$(name_of "$1"):$2")
  rm -rf "$dir" && mkdir "$dir"
  docker export "$container" | tar -x -C "$dir" --exclude=dev --exclude=proc --exclude=sys
  docker rm "$container" >/dev/null
  # What docker adds to a container that was never started.
  rm -f "$dir"/etc/{hosts,hostname,resolv.conf} "$dir/.dockerenv"
  echo "$dir"
}
files() { # NAME TAG: mode, owner and sum of each, and where links lead
  local dir
  dir=$(unpack "$1" "$2")
  (cd "$dir" && find . -type f -exec sha256sum {} + | sort -k 2 && find . -printf '%p %y %m %U:%G %l\n' | sort)
}
same_files() { # NAME
  files "$1" classic >"$work/classic" && files "$1" buildkit >"$work/buildkit" || return 1
  grep -q "  ./usr/bin/$1$" "$work/classic" || { echo 'the program is not among them'; return 1; }
  diff "$work/classic" "$work/buildkit"
}
is_small() { # NAME TAG
  local size
  size=$(docker inspect -f '{{.Size}}' "$(name_of "$1"):$2")
  echo "$size bytes"
  ((size <= 35000000))
}

own=$(dpkg --print-architecture)
other=arm64
[[ $own != arm64 ]] || other=amd64
began=$SECONDS
check 'the classic builder builds every image, by the lines of docs/DEPLOYMENT.md' build 0 classic
say "the classic builder took $(took)"
began=$SECONDS
check 'BuildKit builds every image, by the lines of docs/DEPLOYMENT.md' build 1 buildkit
say "BuildKit took $(took)"
for name in "${images[@]}"; do
  check "$name: the two hold the same files" same_files "$name"
  check "$name: at most 35 MB" is_small "$name" buildkit
done
check 'analytics-mcp: gRPC and libstdc++ are linked in' libraries_are_linked_in "$work/files-analytics-mcp-buildkit"

build_other() {
  DOCKER_BUILDKIT=1 docker build -f "$root/deploy/Dockerfile" --target "$1" -t "$(name_of "$1"):$other" --platform "linux/$other" "$root"
}
began=$SECONDS
for name in gateway analytics-mcp; do
  check "BuildKit builds $name for $other" build_other "$name"
  check "$name for $other: the image says so" test "$(docker inspect -f '{{.Architecture}}' "$(name_of "$name"):$other")" = "$other"
  dir=$(unpack "$name" "$other")
  check "$name for $other: the programs are of it" programs_are_for "$other" "$dir"
  check "$name for $other: gRPC and libstdc++ are linked in" libraries_are_linked_in "$dir"
  check "$name for $other: at most 35 MB" is_small "$name" "$other"
done
say "BuildKit for $other took $(took)"
check 'every block of docs/DEPLOYMENT.md that is run here was' every_block_was_run docker
echo '-- end'
