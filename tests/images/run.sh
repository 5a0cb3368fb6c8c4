#!/usr/bin/env bash
# Tests of the images: built by buildah without a daemon, looked into, and started under the flags
# they are meant for; then docker-compose.yml. What is started lives in namespaces of its own, which
# end with it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/images/lib.sh
source "$here/lib.sh"

usage() {
  cat <<'TEXT'
Usage: tests/images/run.sh [--stage build|content|run|compose|docker]... [--no-build] [--cross]

  --stage NAME   only this stage (may be repeated): build the images, twice; their content; start
                 each under hardened flags; docker-compose.yml with a real dockerd; and, when asked
                 for, builds by docker itself (classic builder, BuildKit, the other architecture),
                 which compile everything three times
  --no-build     use the images that are in the cache
  --cross        also build for the other architecture (amd64, arm64) and look into it
  --help         this text

Images and caches are in AMCP_CACHE (~/.cache/analytics-mcp). COMPOSE names another docker-compose
than Debian's 1.29, such as one of version 2. What this machine cannot do is skipped
with the reason. Ends with "N passed, N failed, N skipped"; exit code 0 when none failed.
TEXT
}

stages=() build=true cross=false
while (($# > 0)); do
  case $1 in
  --stage) stages+=("${2:?--stage needs a name}"); shift ;;
  --no-build) build=false ;;
  --cross) cross=true ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
((${#stages[@]} > 0)) || stages=(build content run compose)
wanted() { [[ " ${stages[*]} " == *" $1 "* ]]; }
for stage in "${stages[@]}"; do
  [[ $stage =~ ^(build|content|run|compose|docker)$ ]] || { usage >&2; exit 2; }
done

work=$(mktemp -d) again=''
finish() {
  end_tree $$
  rm -rf "$work"
}
trap finish EXIT

own=$(dpkg --print-architecture)
other=arm64
[[ $own != arm64 ]] || other=amd64

image_name() { echo "localhost/analytics-mcp-$1:test"; }
image_id() { buildah_ inspect --type image --format '{{.FromImageID}}' "$(image_name "$1")"; }

# ------------------------------------------------------------------------------------------ build

stage_build() {
  local name began
  say 'build'
  make_base || { bad 'base image'; return 0; }
  for name in "${images[@]}"; do
    began=$SECONDS
    if build_image "$name" >"$work/build.log" 2>&1; then
      ok "$name builds ($((SECONDS - began)) s)"
    else
      bad "$name builds"
      tail -n 20 "$work/build.log"
      return 0
    fi
  done
  for name in "${images[@]}"; do image_id "$name"; done >"$work/first"
  compile_again &
  again=$!
}
# Beside the stages that wait more than they compute, and behind them in line for the processors.
compile_again() {
  local name
  renice -n 15 $BASHPID >/dev/null
  for name in "${images[@]}"; do
    build_image "$name" test --build-arg REBUILD=again >"$work/again.log" 2>&1 && image_id "$name" || return 1
  done >"$work/again"
}
join_again() {
  local name first second
  [[ -n $again ]] || return 0
  wait "$again" || { bad 'the images build again'; tail -n 20 "$work/again.log"; }
  again=''
  while read -r name first second; do
    if [[ $first == "$second" ]]; then ok "$name has the same id when compiled again"; else bad "$name: id $first, then $second"; fi
  done < <(paste -d ' ' <(printf '%s\n' "${images[@]}") "$work/first" "$work/again")
}

# ---------------------------------------------------------------------------------------- content

# Each check prints what is wrong with the root at $1 and fails.
no_shell() {
  ! find "$1" \( -type f -o -type l \) \( -name sh -o -name bash -o -name 'bash.*' -o -name rbash -o -name dash -o -name busybox -o -name perl -o -name 'python*' -o -name apt -o -name dpkg \) -not -path '*/var/lib/dpkg*' | grep .
}
no_source() {
  ! find "$1" \( -name '*.c' -o -name '*.h' -o -name '*.proto' -o -name '*.git*' -o -name CMakeLists.txt -o -name '*.md' -o -name '*.js' \) | grep .
}
no_credential() {
  ! find "$1" \( -name 'dealers*.json' -o -name '*-creds.json' -o -name '*.credentials' -o -name '*.key' -o -name .env \) | grep . &&
    ! grep -rlIE 'GOCSPX-[A-Za-z0-9]|1//0[A-Za-z0-9_-]{10}|BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}' "$1" --include='*' --exclude-dir=usr/lib
}
no_setuid() { ! find "$1" -perm /6000 | grep .; }
no_foreign_owner() { ! find "$1" -not -uid 0 -not -path "$1/var/lib/analytics-mcp" | grep .; }
no_writable() { ! find "$1" -not -type l -perm /022 | grep .; }
no_machine_path() { ! grep -rlaE '/(src|build|root|work)/(common|gateway|gen|auth-svc|report-svc|aggregate-svc|ga4-sim|\.cache)' "$1/usr/bin"; }
all_libraries() {
  local file name missing=0
  while read -r file; do
    for name in $(readelf -d "$file" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
      find "$1/" -name "$name" | grep -q . || { echo "$file needs $name"; missing=1; }
    done
  done < <(find "$1/usr" -type f \( -path '*/bin/*' -o -name '*.so*' \))
  return "$missing"
}
all_packages() { # every library belongs to a package that is named, with its copyright
  local file name bad=0
  for file in "$1"/var/lib/dpkg/status.d/*; do
    name=${file##*/}
    [[ -s $1/usr/share/doc/$name/copyright ]] || { echo "$name has no copyright"; bad=1; }
    grep -q '^Version: ' "$file" || { echo "$name has no version"; bad=1; }
  done
  [[ -s $1/usr/share/doc/analytics-mcp/copyright ]] || { echo 'no copyright of ours'; bad=1; }
  (($(find "$1/var/lib/dpkg/status.d" -type f | wc -l) > 5)) || { echo 'too few packages'; bad=1; }
  return "$bad"
}
runs_as_nobody() { # configuration of an image
  buildah_ inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck}} {{.Docker.Config.StopSignal}}' "$1" |
    grep -E '^65532:65532 .*healthcheck.* SIGTERM$'
}
is_labelled() {
  buildah_ inspect --type image --format '{{.Docker.Config.Labels}}' "$1" | grep -E 'licenses:Apache-2.0.*title:analytics-mcp.*version:'
}

architecture_is() {
  [[ $(buildah_ inspect --type image --format '{{.Docker.Architecture}}' "$2") == "$1" ]]
}

# look_into NAME IMAGE ARCHITECTURE
look_into() {
  local name=$1 image=$2 container dir size shown limit=35
  container=$(buildah_ from --pull-never "$image")
  dir=$(buildah_ mount "$container")
  size=$(du -sb --apparent-size "$dir" | cut -f1)
  shown=$(buildah_ images --format '{{.Size}}' "$image") # as an engine counts it
  if ((size <= limit * 1000000)) && awk -v limit="$limit" '{exit !($2 == "MB" && $1 <= limit)}' <<<"$shown"; then
    ok "$name takes $shown, at most $limit MB"
  else
    bad "$name takes $shown, its files $size bytes: more than $limit MB"
  fi
  check "$name: no shell, no interpreter, no package manager" no_shell "$dir"
  check "$name: no source" no_source "$dir"
  check "$name: no credential" no_credential "$dir"
  check "$name: nothing is setuid" no_setuid "$dir"
  check "$name: all files are root's, but for the state folder" no_foreign_owner "$dir"
  check "$name: nobody may write" no_writable "$dir"
  check "$name: no path of the build in the programs" no_machine_path "$dir"
  check "$name: every library that is needed is there" all_libraries "$dir"
  check "$name: packages and copyrights of what is inside" all_packages "$dir"
  check "$name: programs for $3" programs_are_for "$3" "$dir"
  # Buildah takes base and image to be of one architecture; docker.sh looks at this where they differ.
  [[ $3 != "$own" ]] || check "$name: the image says $3" architecture_is "$3" "$image"
  check "$name: user, health check, stop signal" runs_as_nobody "$image"
  check "$name: labels" is_labelled "$image"
  case $name in
  auth-svc* | aggregate-svc* | analytics-mcp*) check "$name: time zones" test -s "$dir/usr/share/zoneinfo/America/New_York" ;;
  esac
  [[ $name == ga4-sim* ]] || check "$name: gRPC and libstdc++ are linked in, and named" libraries_are_linked_in "$dir"
  [[ $name == ga4-sim* ]] || check "$name: certificate authorities" test -s "$dir/etc/ssl/certs/ca-certificates.crt"
  buildah_ umount "$container" >/dev/null
  buildah_ rm "$container" >/dev/null
}

# The tests can fail: a root with one of each fault is refused.
faults_are_seen() {
  local dir=$work/faults
  mkdir -p "$dir"/{usr/bin,app,etc,var/lib/dpkg/status.d}
  cp /bin/true "$dir/usr/bin/sh"
  chmod u+s "$dir/usr/bin/sh"
  echo 'int x;' >"$dir/app/x.c"
  echo '{"refresh_token":"1//0abcdefghijklmnop"}' >"$dir/app/some.json"
  chmod 666 "$dir/app/some.json"
  printf '/src/common/base/x.c' >"$dir/usr/bin/prog"
  local fault
  for fault in no_shell no_source no_credential no_setuid no_writable no_machine_path all_packages libraries_are_linked_in; do
    refute "a root with a fault is refused: $fault" "$fault" "$dir"
  done
  mkdir -p "$work/here/usr/bin"
  cp /bin/true "$work/here/usr/bin/"
  refute 'a program for this machine is not one for the other architecture' programs_are_for "$other" "$work/here"
}

ignores() ( # git keeps credentials out, and so does the build context
  cd "$root"
  for file in config/dealers.json config/x-creds.json some.credentials .env certificates/gateway/page.key issuer/jwt.key; do
    git check-ignore -q "$file" || { echo "git would take $file"; exit 1; }
  done
  for line in 'config/dealers.json' 'config/*-creds.json' '*.credentials' '**/*.credentials' .env '**/.env'; do
    grep -qxF "$line" .dockerignore || { echo ".dockerignore lacks $line"; exit 1; }
  done
)

blocks_without_a_mark_are_seen() {
  local mark
  for mark in '' sh 'sh elsewhere/one' 'sh not-run' 'sh run/'; do
    printf '```sh run/one\ntrue\n```\n\n- ```%s\n' "$mark" | sed 's/^- /   /' >"$work/page.md"
    printf '   true\n   ```\n' >>"$work/page.md"
    refute "a block with the mark \"$mark\" is refused" blocks_are_marked "$work/page.md"
  done
  printf '```sh run/one\ntrue\n```\n```sh run/one\ntrue\n```\n' >"$work/page.md"
  refute 'two blocks with one mark are refused' blocks_are_marked "$work/page.md"
}

says_what_is_missing() {
  local output
  output=$(AMCP_CACHE=$work/none "$here/run.sh" --no-build --stage content)
  grep 'there is no image of gateway' <<<"$output" && tail -n 1 <<<"$output" | grep '^0 passed, 1 failed'
}
stage_content() {
  local name
  say 'content'
  check 'with an empty cache a run says what is missing' says_what_is_missing
  check 'every block of docs/DEPLOYMENT.md says what runs it, or why nothing does' blocks_are_marked "$root/docs/DEPLOYMENT.md"
  blocks_without_a_mark_are_seen
  check 'git and the build context leave credentials out' ignores
  faults_are_seen
  for name in "${images[@]}"; do look_into "$name" "$(image_name "$name")" "$own"; done
}

stage_cross() {
  local name began
  say "cross build for $other"
  for name in "${images[@]}"; do
    began=$SECONDS
    if build_image "$name" "$other" >"$work/build.log" 2>&1; then
      ok "$name builds for $other ($((SECONDS - began)) s)"
      look_into "$name ($other)" "localhost/analytics-mcp-$name:$other" "$other"
    else
      bad "$name builds for $other"
      tail -n 20 "$work/build.log"
      return 0
    fi
  done
}

# ------------------------------------------------------------------------------------------ start

network=(--net)
# Docker and what it starts live in namespaces of their own: no bridge, rule, mount or process is
# left, whatever happens.
in_namespaces() { # SCRIPT ARGUMENT...
  unshare "${network[@]}" --mount --pid --fork --mount-proc --kill-child bash "$@"
}
cannot_run() {
  command -v dockerd >/dev/null || { echo 'dockerd is missing (apt-get install docker.io)'; return; }
  [[ -x /usr/bin/docker ]] || { echo '/usr/bin/docker is missing'; return; }
  unshare --net --mount --pid --fork --mount-proc true 2>/dev/null || { echo 'namespaces cannot be made here'; return; }
}
save_images() {
  local name
  for name in "${images[@]}"; do
    buildah_ push -q "$(image_name "$name")" "docker-archive:$work/$name.tar:analytics-mcp-$name:test" >/dev/null
  done
}
# The Inspector, by the lock file of the end-to-end tests; without a registry its block of the page is skipped.
get_inspector() {
  local from=$root/tests/e2e/mcp/commands to=$cache/commands
  command -v npm >/dev/null || { echo 'npm is missing'; return; }
  mkdir -p "$to"
  ! cmp -s "$from/package-lock.json" "$to/package-lock.json" || [[ ! -d $to/node_modules ]] || return 0
  rm -rf "$to" && mkdir "$to" && cp "$from"/package*.json "$to/"
  (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$work/npm.log" 2>&1) ||
    { rm -rf "$to"; echo "npm ci: $(tail -n 1 "$work/npm.log")"; }
}
count_results() { # of a script in namespaces: its lines are ours
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
    'ok '*) passed=$((passed + 1)) ;;
    'FAILED '*) failed=$((failed + 1)) ;;
    'skipped '*) skipped=$((skipped + 1)) ;;
    esac
  done
}
stage_inside() { # STAGE
  local why
  say "$1"
  why=$(cannot_run)
  if [[ -n $why ]]; then
    skip "$1: $why"
    return 0
  fi
  [[ $1 == docker || -s $work/gateway.tar ]] || save_images
  in_namespaces "$here/$1.sh" "$root" "$work" >"$work/$1.out" 2>&1 || true
  count_results <"$work/$1.out"
  grep -q '^-- end$' "$work/$1.out" || bad "$1: did not come to its end"
}

left_over() { # what a stage could leave behind
  ip -o link 2>/dev/null | wc -l
  iptables-save 2>/dev/null | grep -vcE '^(#|:)' || true
  awk -v at="$cache/docker-" 'index($5, at) == 1' /proc/self/mountinfo | wc -l
  find /sys/fs/cgroup -type d -path '*amcp-images*' 2>/dev/null | wc -l
  find "$cache" -maxdepth 1 -name 'docker-*' | wc -l
}
mkdir -p "$cache"
before=$(left_over)
why=$(cannot_build)
if [[ -n $why ]]; then
  for stage in "${stages[@]}"; do skip "$stage: $why"; done
  totals
  exit
fi
choose_storage
if $build && wanted build; then stage_build; fi
if ! wanted build && $build; then
  make_base
  for name in "${images[@]}"; do build_image "$name" >/dev/null 2>"$work/build.log" || { bad "$name builds"; tail -n 20 "$work/build.log"; totals; exit 1; }; done
fi
for name in "${images[@]}"; do
  image_id "$name" >/dev/null 2>&1 || { bad "there is no image of $name; run without --no-build"; totals; exit 1; }
done
if wanted content; then stage_content; fi
if $cross; then stage_cross; fi
if wanted run; then
  get_inspector >"$work/no-inspector"
  stage_inside run-hardened
fi
join_again # what follows measures how long a start takes
if wanted compose; then stage_inside compose; fi
if wanted docker; then
  # Its builds install packages from Debian's archive.
  network=()
  buildah_ push -q localhost/debian:bookworm-slim "docker-archive:$work/base.tar:debian:bookworm-slim" >/dev/null
  stage_inside docker
fi
after=$(left_over)
if [[ $before == "$after" ]]; then
  ok 'nothing is left: links, firewall rules, mounts, control groups, folders'
else
  bad "left over; links, rules, mounts, control groups, folders before: ${before//$'\n'/ }, after: ${after//$'\n'/ }"
fi
totals
