#!/usr/bin/env bash
# Installs the Debian packages that are missing: to build and run the set, with --tests also what
# the tests need, with --browser the browser that draws the pictures of the tests (some 250 MB), with
# --containers what the tests of images and chart need, with --image what building the images needs,
# for the architecture they are for.
# Does nothing (and needs no network) when all are there.
set -euo pipefail

libraries=(libc6-dev libprotobuf-c-dev libgrpc-dev libcurl4-openssl-dev libcjson-dev libssl-dev
  libmicrohttpd-dev libgnutls28-dev libsqlite3-dev libpq-dev libhiredis-dev zlib1g-dev)
compilers=(cmake ninja-build pkg-config gcc protobuf-compiler protobuf-c-compiler libprotobuf-dev
  libprotoc-dev ca-certificates)
build=("${compilers[@]}" "${libraries[@]}" curl jq sqlite3 procps)
containers=(buildah debootstrap containerd runc containernetworking-plugins conntrack iptables nftables
  ipset iproute2 openssl jq curl)
tests=(libcunit1-dev openssl clang libclang-rt-14-dev llvm lld redis-server postgresql)

usage() {
  echo "Usage: deploy/install-deps.sh [--tests | --browser | --containers | --image [ARCH]]"
  echo "Installs the Debian packages that building the set needs; --tests adds those of the tests."
  echo "--browser installs Chromium without a window alone, in which tests draw pages."
  echo "--containers installs what the tests of images and chart start: buildah, containerd, docker."
  echo "--image installs what building the images for ARCH (amd64, arm64; default: this machine's)"
  echo "needs, with a cross compiler where that is another one."
}

# The compilers of this machine, and the libraries of both: programs of the build run here. libpq-dev is there for
# one architecture at a time, and those programs do not use it.
want_image() {
  local own arch=$1 library
  own=$(dpkg --print-architecture)
  wanted=("${compilers[@]}" "${libraries[@]}" libstdc++-12-dev binutils tzdata)
  [[ -n $arch && $arch != "$own" ]] || return 0
  case $arch in
  amd64) wanted+=(gcc-x86-64-linux-gnu libstdc++-12-dev-amd64-cross) ;;
  arm64) wanted+=(gcc-aarch64-linux-gnu libstdc++-12-dev-arm64-cross) ;;
  *) echo "install-deps: --image $arch: must be amd64 or arm64" >&2; exit 2 ;;
  esac
  dpkg --add-architecture "$arch"
  mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | grep -vx libpq-dev)
  for library in "${libraries[@]}"; do wanted+=("$library:$arch"); done
}

wanted=("${build[@]}")
case "${1:-}" in
"") ;;
--image) want_image "${2:-}" ;;
--tests)
  wanted+=("${tests[@]}")
  # The clients under test come by npm lock file; any npm will do to fetch them.
  command -v npm >/dev/null || wanted+=(npm)
  ;;
--browser) wanted=(chromium-headless-shell) ;;
--containers)
  wanted=("${containers[@]}")
  # Docker of another origin stays.
  [[ -x /usr/bin/docker ]] || wanted+=(docker.io)
  [[ -x /usr/bin/docker-compose ]] || wanted+=(docker-compose)
  ;;
--help | -h) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
    missing+=("$package")
done
((${#missing[@]} == 0)) && exit 0

if ! command -v apt-get >/dev/null; then
  echo "install-deps: this is not a Debian system; install these packages by hand: ${missing[*]}" >&2
  exit 1
fi
sudo=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "install-deps: run as root, or install sudo; missing packages: ${missing[*]}" >&2
    exit 1
  }
  sudo=(sudo)
fi
echo "installing ${#missing[@]} packages: ${missing[*]}"
# Debian's PostgreSQL makes and starts a cluster of the system's, unless told not to: tests have their own.
if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
  "${sudo[@]}" mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { "${sudo[@]}" apt-get update -q &&
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "install-deps: apt-get failed (its last lines are above)" >&2
  exit 1
fi
