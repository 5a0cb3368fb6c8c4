# What the tests of images and of the cluster share: engines of this machine, and building.
# shellcheck shell=bash disable=SC2034,SC2001,SC2154

cache=${AMCP_CACHE:-$HOME/.cache/analytics-mcp}
images=(gateway auth-svc report-svc aggregate-svc ga4-sim analytics-mcp)

passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); printf 'ok      %s\n' "$*"; }
bad() { failed=$((failed + 1)); printf 'FAILED  %s\n' "$*"; }
skip() { skipped=$((skipped + 1)); printf 'skipped %s\n' "$*"; }
say() { printf -- '-- %s\n' "$*"; }
# check NAME COMMAND...: ok when the command succeeds; its output is shown when not.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    ok "$name"
  else
    bad "$name"
    sed 's/^/        /' <<<"$output" | tail -n 15
  fi
}
# refute NAME COMMAND...: ok when the command fails
refute() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    bad "$name"
    sed 's/^/        /' <<<"$output" | tail -n 15
  else
    ok "$name"
  fi
}
children_of() { # PID
  grep -lsx "PPid:[[:space:]]$1" /proc/[0-9]*/status | cut -d / -f 3
}
# end_tree PID: ends what a process started, and what that did
end_tree() {
  local child
  for child in $(children_of "$1"); do
    end_tree "$child"
    kill "$child" 2>/dev/null || true
  done
}
totals() {
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}

# ------------------------------------------------------------------------- blocks of docs/DEPLOYMENT.md
# Each block of commands on the page names what runs it, `sh STAGE/NAME`, or why nothing does, `sh not-run WHY`.
stages_of_blocks='docker|run|compose|cluster-a|cluster-b'

block_marks() { # FILE: what stands behind the fence of each block, a line each
  awk '/^ *```/ {if (!on) {sub(/^ *```/, ""); print} on = !on}' "$1"
}
blocks_are_marked() { # FILE
  local mark bad=0
  while IFS= read -r mark; do
    [[ $mark =~ ^sh\ (($stages_of_blocks)/[a-z-]+|not-run\ .{8,})$ ]] ||
      { echo "a block of ${1##*/} is neither run nor says why not: \"\`\`\`$mark\""; bad=1; }
  done < <(block_marks "$1")
  mark=$(block_marks "$1" | grep -v '^sh not-run' | sort | uniq -d)
  [[ -z $mark ]] || { echo "two blocks are called $mark"; bad=1; }
  return "$bad"
}
# page_block STAGE/NAME: the commands of a block. It counts as run.
page_block() {
  echo "$1" >>"$work/blocks"
  awk -v fence="\`\`\`sh $1" '{line = $0; sub(/^ +/, "", line)}
    line == fence {on = 1; indent = length($0) - length(line); next}
    line ~ /^```/ {on = 0}
    on {print substr($0, indent + 1)}' "$root/docs/DEPLOYMENT.md"
}
# run_block STAGE/NAME FOLDER: in a shell that ends at the first command that fails
run_block() {
  (cd "$2" && bash -euo pipefail -c "$(page_block "$1")")
}
every_block_was_run() { # STAGE
  diff <(block_marks "$root/docs/DEPLOYMENT.md" | sed -n "s,^sh \($1/.*\),\1,p" | sort) <(grep "^$1/" "$work/blocks" | sort -u)
}

# libraries_are_linked_in FOLDER: gRPC and its C++ are in the programs of an image, not beside them, and their
# packages are named all the same.
libraries_are_linked_in() {
  local name
  for name in libgrpc-dev libabsl-dev 'libstdc++-*-dev*'; do
    compgen -G "$1/var/lib/dpkg/status.d/$name" >/dev/null || { echo "no $name"; return 1; }
  done
  ! find "$1/usr/lib" \( -name 'libgrpc*' -o -name 'libabsl*' -o -name 'libstdc++*' \) | grep .
}
# programs_are_for ARCHITECTURE FOLDER: the programs of an image
programs_are_for() {
  local file machine
  case $1 in amd64) machine='X86-64' ;; arm64) machine=AArch64 ;; esac
  for file in "$2"/usr/bin/*; do
    readelf -h "$file" | grep -q "Machine:.*$machine" || { echo "$file is not for $1"; return 1; }
  done
}

# Buildah without a daemon, its images in the cache.
buildah_() {
  BUILDAH_ISOLATION=chroot buildah --root "$cache/containers" --runroot "$cache/containers-run" \
    --storage-driver "$storage" "$@"
}

# Why images cannot be built here; nothing when they can.
cannot_build() {
  ((EUID == 0)) || { echo 'not root'; return; }
  command -v buildah >/dev/null || { echo 'buildah is missing (apt-get install buildah)'; return; }
  command -v debootstrap >/dev/null || { echo 'debootstrap is missing'; return; }
}

storage=overlay
choose_storage() {
  mkdir -p "$cache"
  local probe
  probe=$(mktemp -d "$cache/overlay-XXXXXX")
  mkdir "$probe"/{l,u,w,m}
  if mount -t overlay overlay -o "lowerdir=$probe/l,upperdir=$probe/u,workdir=$probe/w" "$probe/m" 2>/dev/null; then
    umount "$probe/m"
  else
    storage=vfs
  fi
  rm -rf "$probe"
}

# The base of the build stage, where no registry gives it: Debian's own packages.
make_base() {
  local dir=$cache/images/base name=localhost/debian:bookworm-slim container
  buildah_ inspect --type image "$name" >/dev/null 2>&1 && return
  mkdir -p "$cache/images"
  if [[ ! -d $dir ]]; then
    say "making the base image by debootstrap (once)"
    rm -rf "$dir.new"
    debootstrap --variant=minbase bookworm "$dir.new" http://deb.debian.org/debian >"$cache/images/debootstrap.log" 2>&1 ||
      { tail -n 5 "$cache/images/debootstrap.log" >&2; return 1; }
    rm -rf "$dir.new"/var/cache/apt/* "$dir.new"/var/lib/apt/lists/* "$dir.new"/var/log/*
    cat >"$dir.new/etc/apt/sources.list" <<'LIST'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
LIST
    printf 'path-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n' \
      >"$dir.new/etc/dpkg/dpkg.cfg.d/slim"
    printf 'APT::Install-Recommends "false";\n' >"$dir.new/etc/apt/apt.conf.d/slim"
    mv "$dir.new" "$dir"
  fi
  container=$(buildah_ from scratch)
  buildah_ add -q "$container" "$dir" / >/dev/null
  buildah_ config --cmd bash "$container"
  buildah_ commit -q --format docker --timestamp 0 "$container" "$name" >/dev/null
  buildah_ rm "$container" >/dev/null
}

# build_image NAME [TAG] [ARGUMENT...]: prints the image's id. TAG is "test", or another architecture to build for
build_image() {
  local name=$1 tag=${2:-test} target=()
  shift $(($# > 1 ? 2 : 1))
  [[ $tag == test ]] || target=(--build-arg "TARGETARCH=$tag")
  buildah_ bud -q --layers --format docker --timestamp 0 --build-arg DEBIAN=localhost/debian:bookworm-slim \
    "${target[@]}" -f "$root/deploy/Dockerfile" --target "$name" -t "localhost/analytics-mcp-$name:$tag" "$@" "$root"
}
