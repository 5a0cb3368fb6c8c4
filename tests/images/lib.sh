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
totals() {
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
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

# build_image NAME [ARGUMENT...]: prints the image's id
build_image() {
  local name=$1
  shift
  buildah_ bud -q --layers --format docker --timestamp 0 --build-arg DEBIAN=localhost/debian:bookworm-slim \
    -f "$root/deploy/Dockerfile" --target "$name" -t "localhost/analytics-mcp-$name:test" "$@" "$root"
}
