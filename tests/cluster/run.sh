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
Usage: tests/cluster/run.sh [--stage a|b]... [--all] [--no-build | --no-build-b]

  --stage a     chart and API: schema, install, upgrade, rollback, disruption budgets, spread,
                autoscaling, resource types of other operators, refused manifests
  --stage b     real pods: mutual TLS, first question, network policies, rollouts under load,
                rotation, rollback of a bad image, workload identity. Needs root
  --all         five rollouts of each deployment in stage b in place of one
  --no-build    do not build or install what is missing (the programs of Kubernetes, the images,
                packages): what cannot be run is skipped
  --no-build-b  the same for stage b alone
  --help        this text

Without --stage both, side by side, since both wait more than they compute. Everything that is built
stays in AMCP_CACHE (~/.cache/analytics-mcp); the first build of Kubernetes' programs takes about ten
minutes and Go's module proxy. Ends with "N passed, N failed, N skipped"; exit code 0 when none failed.
TEXT
}

stages=() build=true build_b=true rollouts=1
while (($# > 0)); do
  case $1 in
  --stage) stages+=("${2:?--stage needs a or b}"); shift ;;
  --all) rollouts=5 ;;
  --no-build) build=false build_b=false ;;
  --no-build-b) build_b=false ;;
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

report_stage() { # NAME SECONDS
  say "stage $1"
  count_results <"$work/$1.out"
  grep -q '^-- end$' "$work/$1.out" || bad "stage $1: did not come to its end"
  say "stage $1 took $2 s"
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
stage_a='' # its process
finish() {
  end_tree $$
  cluster_a down >/dev/null 2>&1 || true
  "$here/cluster.sh" down >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
# A cluster of its own, beside that of stage b.
cluster_a() { CLUSTER_RUN=$CLUSTER_HOME/run-a "$here/cluster.sh" "$@"; }

why_not_a() {
  tools "${control[@]}" kwok actionlint
}
run_a() {
  local began=$SECONDS
  CLUSTER_RUN=$CLUSTER_HOME/run-a bash "$here/stage-a.sh" "$root" "$work/a" >"$work/a.out" 2>&1 || true
  cluster_a down >/dev/null 2>&1 || true
  echo $((SECONDS - began)) >"$work/a/seconds"
}

why_not_b() {
  local why=''
  ((EUID == 0)) || why='not root'
  [[ -n $why ]] || "$here/cluster.sh" packages >"$work/packages.log" 2>&1 || why="packages are missing: $(tail -n 1 "$work/packages.log")"
  [[ -n $why ]] || command -v node >/dev/null || why='node is missing'
  [[ -n $why ]] || unshare --net --mount --pid --fork --mount-proc true 2>/dev/null || why='namespaces cannot be made here'
  [[ -n $why ]] || why=$(cannot_build)
  [[ -n $why ]] || why=$(tools "${control[@]}" "${node[@]}")
  echo "$why"
}
images_for_b() { # as archives; what is wrong is reported
  local name
  choose_storage
  if $build_b; then
    make_base || { bad 'base image'; return 1; }
    for name in "${images[@]}"; do build_image "$name" >/dev/null 2>"$work/build.log" || { tail -n 5 "$work/build.log"; bad "$name builds"; return 1; }; done
  fi
  for name in gateway auth-svc report-svc aggregate-svc ga4-sim; do
    buildah_ push -q "localhost/analytics-mcp-$name:test" "docker-archive:$work/b/$name.tar:docker.io/library/analytics-mcp-$name:test" 2>/dev/null ||
      { skip "stage b: there is no image of $name"; return 1; }
  done
}
run_b() { # POLICIES. Addresses, rules, mounts and processes are in namespaces that end with the stage.
  unshare --net --mount --pid --fork --mount-proc --kill-child \
    bash "$here/stage-b.sh" "$root" "$work/b" "$rollouts" "$1" >"$work/b.out" 2>&1 || true
  find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {} + 2>/dev/null || true
  rm -rf "$CLUSTER_HOME/run"
}

mkdir "$work/a" "$work/b"
wanted() { [[ " ${stages[*]} " == *" $1 "* ]]; }
for stage in "${stages[@]}"; do [[ $stage == [ab] ]] || { usage >&2; exit 2; }; done
if wanted a; then
  why=$(why_not_a)
  if [[ -n $why ]]; then
    skip "stage a: $why"
  else
    run_a &
    stage_a=$!
  fi
fi
if wanted b; then
  build=$build_b
  $build || export CLUSTER_NO_INSTALL=1
  why=$(why_not_b)
  if [[ -n $why ]]; then
    skip "stage b: $why"
  elif images_for_b; then
    policies=$(tools kube-router) # empty: they are enforced
    began=$SECONDS
    run_b "$policies"
    report_stage b $((SECONDS - began))
  fi
fi
if [[ -n $stage_a ]]; then
  wait "$stage_a" || true
  stage_a=''
  report_stage a "$(cat "$work/a/seconds")"
fi
after=$(left_over)
if [[ $before == "$after" ]]; then
  ok 'nothing is left: links, firewall rules, mounts, control groups, processes'
else
  bad "left over; links, rules, tables, mounts, control groups, processes before: ${before//$'\n'/ }, after: ${after//$'\n'/ }"
fi
totals
