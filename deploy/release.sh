#!/usr/bin/env bash
# Puts a version of the set onto the cluster that kubectl points to, and asks the first question.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/release.sh --tag TAG [--namespace NS] [--values FILE]... [--registry REGISTRY]
                         [--release NAME] [--timeout DURATION] [--dry-run]

helm upgrade --install --atomic, then helm test: an upgrade that does not become ready is taken back,
and one whose first question fails is rolled back to the revision before.

  --tag TAG            tag of the images
  --namespace NS       default analytics; made when it is not there
  --values FILE        may be repeated; default helm/analytics-mcp/values-eks.yaml
  --registry REGISTRY  in place of image.registry of the values
  --release NAME       default analytics-mcp
  --timeout DURATION   default 5m
  --dry-run            let the API server check everything, change nothing

Where the values have auth.enabled, the question needs a bearer token: MCP_TOKEN in the environment, which is in
a Secret of its own as long as the question is asked, or test.bearerSecret of the values.
TEXT
}

tag='' namespace=analytics values=() registry='' release=analytics-mcp timeout=5m dry_run=false
while (($# > 0)); do
  case $1 in
  --tag) tag=${2:?--tag needs a value}; shift ;;
  --namespace) namespace=${2:?--namespace needs a value}; shift ;;
  --values) values+=(--values "${2:?--values needs a file}"); shift ;;
  --registry) registry=${2?--registry needs a value}; shift ;;
  --release) release=${2:?--release needs a name}; shift ;;
  --timeout) timeout=${2:?--timeout needs a duration}; shift ;;
  --dry-run) dry_run=true ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ -n $tag ]] || { usage >&2; exit 2; }
((${#values[@]} > 0)) || values=(--values "$root/helm/analytics-mcp/values-eks.yaml")
arguments=("$release" "$root/helm/analytics-mcp" --namespace "$namespace" "${values[@]}" --set-string "image.tag=$tag")
[[ -z $registry ]] || arguments+=(--set-string "image.registry=$registry")


# part_of NAME: a template of the chart with these values
part_of() { helm template "${arguments[@]}" --show-only "templates/$1.yaml"; }
settings=$(part_of configmap)
secret=''
if grep -q '^  ENABLE_AUTH: "true"' <<<"$settings"; then
  if [[ -n ${MCP_TOKEN:-} ]]; then
    secret=$release-first-question
    arguments+=(--set-string "test.bearerSecret=$secret")
  elif ! part_of tests/first-question | grep -q MCP_TOKEN; then
    echo "release: auth.enabled: the first question needs a bearer token; set MCP_TOKEN, or test.bearerSecret in the values" >&2
    exit 2
  fi
fi

if $dry_run; then
  helm upgrade --install --dry-run=server --hide-secret "${arguments[@]}" >/dev/null
  echo "the API server takes $release $tag"
  exit 0
fi
if [[ -n $secret ]]; then
  kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace" >/dev/null
  trap 'kubectl delete secret "$secret" --namespace "$namespace" --ignore-not-found >/dev/null' EXIT
  printf '%s' "$MCP_TOKEN" |
    kubectl create secret generic "$secret" --namespace "$namespace" --from-file=token=/dev/stdin --dry-run=client --output yaml |
    kubectl apply --filename - >/dev/null
fi
before=$(helm history "$release" --namespace "$namespace" --max 1 --output json 2>/dev/null | sed -n 's/.*"revision":\([0-9]*\).*/\1/p' || true)
helm upgrade --install --create-namespace --atomic --timeout "$timeout" "${arguments[@]}" >/dev/null
# Not --logs: the pod of a test that succeeded is gone by then, which Helm takes for a failure.
if helm test "$release" --namespace "$namespace" --timeout 2m; then
  echo "$release $tag answers"
  exit 0
fi
kubectl logs --namespace "$namespace" --selector "app.kubernetes.io/instance=$release,app.kubernetes.io/component=helm-test" >&2 || true
echo "release: the first question failed" >&2
if [[ -n $before ]]; then
  helm rollback "$release" "$before" --namespace "$namespace" --wait --timeout "$timeout"
  echo "release: rolled back to revision $before" >&2
fi
exit 1
