#!/usr/bin/env bash
# Tests of the Helm chart on a real Kubernetes on this machine. Stage A: a real API server, nodes
# played by kwok; nothing is executed. Stage B: this machine as a node; the images run as pods.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/images/lib.sh
source "$root/tests/images/lib.sh"

usage() {
  cat <<'TEXT'
Usage: tests/cluster/run.sh [--stage a|b]... [--all] [--no-build]

  --stage a     chart and API: schema, install, upgrade, rollback, disruption budgets, spread,
                autoscaling, resource types of other operators, refused manifests
  --stage b     real pods: mutual TLS, first question, network policies, rollouts under load,
                rotation, rollback of a bad image, workload identity. Needs root
  --all         five rollouts of each deployment in stage b in place of one
  --no-build    do not build or install what is missing (the programs of Kubernetes, the images,
                packages): what cannot be run is skipped
  --help        this text

Without --stage both. Everything that is built stays in AMCP_CACHE (~/.cache/analytics-mcp); the
first build of Kubernetes' programs takes about ten minutes and Go's module proxy. Ends with
"N passed, N failed, N skipped"; exit code 0 when none failed.
TEXT
}

stages=() build=true rollouts=1
while (($# > 0)); do
  case $1 in
  --stage) stages+=("${2:?--stage needs a or b}"); shift ;;
  --all) rollouts=5 ;;
  --no-build) build=false; export CLUSTER_NO_INSTALL=1 ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
((${#stages[@]} > 0)) || stages=(a b)

export CLUSTER_HOME=${CLUSTER_HOME:-$cache/cluster}
work=$(mktemp -d)

control=(etcd kube-apiserver kube-controller-manager kube-scheduler kubectl helm)
node=(kubelet kube-proxy coredns pause)
missing() {
  local name list=()
  for name in "$@"; do [[ -x $CLUSTER_HOME/bin/$name ]] || list+=("$name"); done
  echo "${list[*]}"
}
# tools NAME...: builds what is missing. Prints why that cannot be.
tools() {
  local lacking
  lacking=$(missing "$@")
  [[ -n $lacking ]] || return 0
  $build || { echo "not built yet: $lacking"; return 0; }
  command -v go >/dev/null || { echo "go is missing, to build $lacking"; return 0; }
  printf -- '-- building %s (once)\n' "$lacking" >&2
  # shellcheck disable=SC2086
  "$here/cluster.sh" tools $lacking >"$work/tools.log" 2>&1 || { tail -n 3 "$work/tools.log" | tr '\n' ' '; return 0; }
}

count_results() {
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

run_stage() { # NAME COMMAND...
  local name=$1 began=$SECONDS
  shift
  say "stage $name"
  "$@" >"$work/$name.out" 2>&1 || true
  count_results <"$work/$name.out"
  grep -q '^-- end$' "$work/$name.out" || bad "stage $name: did not come to its end"
  say "stage $name took $((SECONDS - began)) s"
}

left_over() { # what a stage could leave behind
  ip -o link 2>/dev/null | wc -l
  iptables-save 2>/dev/null | grep -vcE '^(#|:)' || true
  nft list tables 2>/dev/null | wc -l
  awk -v at="$CLUSTER_HOME/" 'index($5, at) == 1' /proc/self/mountinfo | wc -l
  find /sys/fs/cgroup -type d -path '*kubepods*' 2>/dev/null | wc -l
  { find /proc/[0-9]*/exe -maxdepth 0 -lname "$CLUSTER_HOME/bin/*" 2>/dev/null || true; } | wc -l
}

before=$(left_over)
finish() {
  "$here/cluster.sh" down >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

for stage in "${stages[@]}"; do
  case $stage in
  a)
    why=$(tools "${control[@]}" kwok actionlint)
    if [[ -n $why ]]; then skip "stage a: $why"; continue; fi
    run_stage a bash "$here/stage-a.sh" "$root" "$work"
    "$here/cluster.sh" down >/dev/null 2>&1 || true
    ;;
  b)
    why=''
    ((EUID == 0)) || why='not root'
    [[ -n $why ]] || "$here/cluster.sh" packages >"$work/packages.log" 2>&1 || why="packages are missing: $(tail -n 1 "$work/packages.log")"
    [[ -n $why ]] || command -v node >/dev/null || why='node is missing'
    [[ -n $why ]] || unshare --net --mount --pid --fork --mount-proc true 2>/dev/null || why='namespaces cannot be made here'
    [[ -n $why ]] || why=$(cannot_build)
    [[ -n $why ]] || why=$(tools "${control[@]}" "${node[@]}")
    if [[ -n $why ]]; then skip "stage b: $why"; continue; fi
    policies=$(tools kube-router) # empty: they are enforced
    choose_storage
    if $build; then
      if ! make_base; then bad 'base image'; continue; fi
      for name in "${images[@]}"; do build_image "$name" >/dev/null 2>"$work/build.log" || { tail -n 5 "$work/build.log"; bad "$name builds"; continue 2; }; done
    fi
    for name in gateway auth-svc report-svc aggregate-svc ga4-sim; do
      if ! buildah_ push -q "localhost/analytics-mcp-$name:test" "docker-archive:$work/$name.tar:docker.io/library/analytics-mcp-$name:test" 2>/dev/null; then
        skip "stage b: there is no image of $name"
        continue 2
      fi
    done
    # Addresses, rules, mounts and processes are in namespaces that end with the stage.
    run_stage b unshare --net --mount --pid --fork --mount-proc --kill-child \
      bash "$here/stage-b.sh" "$root" "$work" "$rollouts" "$policies"
    find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {} + 2>/dev/null || true
    rm -rf "$CLUSTER_HOME/run"
    ;;
  *) usage >&2; exit 2 ;;
  esac
done
after=$(left_over)
if [[ $before == "$after" ]]; then
  ok 'nothing is left: links, firewall rules, mounts, control groups, processes'
else
  bad "left over; links, rules, tables, mounts, control groups, processes before: ${before//$'\n'/ }, after: ${after//$'\n'/ }"
fi
totals
