# What the stages share.
# shellcheck shell=bash disable=SC2034
root=$1 work=$2
# shellcheck source=tests/images/lib.sh
source "$root/tests/images/lib.sh"
cluster=$root/tests/cluster/cluster.sh
chart=$root/helm/analytics-mcp
ns=analytics
eval "$("$cluster" env)"
k() { kubectl -n "$ns" "$@"; }
helm_() { helm -n "$ns" "$@"; }
# within SECONDS COMMAND...: until it succeeds
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { "$@"; return; }
    sleep 0.3
  done
}
secret() { k get secret "$1" -o "jsonpath={.data.${2//./\\.}}" | base64 -d; }
