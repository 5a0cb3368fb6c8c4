#!/usr/bin/env bash
# Builds the programs and, for each image, the folder that becomes its root. Runs in the build stage
# of deploy/Dockerfile; also cross-builds.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/image-build.sh [--arch ARCH] [--out DIR] [--build DIR]

Builds gateway, auth-svc, report-svc, aggregate-svc, ga4-sim and analytics-mcp (all four services
under one init, in one file) and makes DIR/NAME, the root of each image, and DIR/state, a folder for a volume.

  --arch ARCH   amd64 or arm64 (default: this machine's); deploy/install-deps.sh --image ARCH first
  --out DIR     default /out
  --build DIR   default /build; DIR-host where programs that the build itself runs are built apart
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
arch='' out=/out build=/build
while (($# > 0)); do
  case $1 in
  --arch) arch=${2?--arch needs a value}; shift ;;
  --out) out=${2:?--out needs a folder}; shift ;;
  --build) build=${2:?--build needs a folder}; shift ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
own=$(dpkg --print-architecture)
arch=${arch:-$own}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}

case $arch in
amd64) triplet=x86_64-linux-gnu ;;
arm64) triplet=aarch64-linux-gnu ;;
*) echo "image-build: --arch $arch: must be amd64 or arm64" >&2; exit 2 ;;
esac

# configure DIR [ARGUMENT...]: no path of this machine gets into a program.
configure() {
  local dir=$1
  shift
  cmake -C "$root/cmake/shipped.cmake" -G Ninja -S "$root" -B "$dir" \
    "-DCMAKE_C_FLAGS=-ffile-prefix-map=$root=. -ffile-prefix-map=$dir=." "$@"
}

options=()
if [[ $arch != "$own" ]]; then
  # What is installed for the other architecture alone (libpq-dev) is found there: the programs of the build do
  # without it, but all of the tree is configured.
  PKG_CONFIG_LIBDIR=$(pkg-config --variable pc_path pkg-config):/usr/lib/$triplet/pkgconfig configure "$build-host" -DAMCP_STATIC_GRPC=OFF
  ninja -C "$build-host" bin/protoc-gen-mcp bin/vehicle-table
  export PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig
  options+=(-DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=${triplet%%-*}"
    "-DCMAKE_C_COMPILER=$triplet-gcc" "-DAMCP_PROTOC_GEN_MCP=$build-host/bin/protoc-gen-mcp"
    "-DAMCP_VEHICLE_TABLE=$build-host/bin/vehicle-table")
fi
configure "$build" "${options[@]}"
services=(auth-svc report-svc aggregate-svc gateway)
ninja -C "$build" "${services[@]/#/bin/}" bin/ga4-sim laptop

make_root() { # NAME [OPTION...] PROGRAM...
  local name=$1
  shift
  rm -rf "${out:?}/$name"
  "$here/image-root.sh" --arch "$arch" --license "$root/LICENSE" --out "$out/$name" "$@"
}
linked=(--archives "$build/archives.txt")
make_root gateway --ca "${linked[@]}" "$build/bin/gateway"
make_root auth-svc --ca --zones "${linked[@]}" "$build/bin/auth-svc"
make_root report-svc --ca --zones "${linked[@]}" "$build/bin/report-svc"
make_root aggregate-svc --ca --zones "${linked[@]}" "$build/bin/aggregate-svc"
make_root ga4-sim "$build/bin/ga4-sim"
named=()
for name in "${services[@]}"; do named+=(--name "$name"); done
make_root analytics-mcp --ca --zones "${linked[@]}" "${named[@]}" "$build/bin/laptop/analytics-mcp"
# A volume takes the owner of the folder it is mounted over, where the folder is in the image.
install -d -m 755 "$out/state" && install -d -m 700 "$out/state/analytics-mcp"
touch -d "@$SOURCE_DATE_EPOCH" "$out/state" "$out/state/analytics-mcp"
