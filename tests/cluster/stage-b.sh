# Stage B: the images as pods, in namespaces that run.sh made.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rollouts=$3 no_policies=$4
ip link set lo up
[[ -n $no_policies ]] || export CLUSTER_NETPOL=1

# kubelet sets these for the whole machine.
settings=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)
declare -A old=()
for setting in "${settings[@]}"; do old[$setting]=$(sysctl -n "$setting" 2>/dev/null || true); done
finish() {
  "$cluster" down >/dev/null 2>&1 || true
  for setting in "${settings[@]}"; do [[ -z ${old[$setting]} ]] || sysctl -qw "$setting=${old[$setting]}" || true; done
}
trap finish EXIT

began=$SECONDS
if ! "$cluster" up real >"$work/up.log" 2>&1; then
  if grep -q 'not ready in time' "$work/up.log"; then bad 'a node comes up'; else bad 'a cluster comes up'; fi
  tail -n 5 "$work/up.log"
  tail -n 3 "$CLUSTER_HOME/run/log/kubelet.log" 2>/dev/null | cut -c 1-300
  echo '-- end'
  exit 0
fi
ok "a node is up, with CoreDNS ($((SECONDS - began)) s)"
# No default route leads out of here: Services are reached from the node as if it had one.
ip route add "${CLUSTER_SERVICE_NET:-10.245.0}.0/24" dev "${CLUSTER_BRIDGE:-amcp0}"
"$cluster" load "$work"/{gateway,auth-svc,report-svc,aggregate-svc,ga4-sim}.tar >/dev/null
kubectl create namespace "$ns" >/dev/null
kubectl label namespace "$ns" pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/enforce-version=latest >/dev/null
provider=//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dealers/providers/eks
demo=(-f "$chart/values-demo.yaml" --set workloadIdentity.enabled=true,workloadIdentity.audience="$provider" --set image.tag=test --set simulator.days=65 --set simulator.dealers=12
  --set gateway.replicas=2 --set reportSvc.replicas=2 --set authSvc.replicas=2 --set aggregateSvc.replicas=2)
apply() { helm_ upgrade --install analytics-mcp "$chart" "${demo[@]}" --wait --timeout 120s "$@"; }
began=$SECONDS
if output=$(apply 2>&1); then
  ok "helm install --wait in a namespace of pod security \"restricted\", with mutual TLS ($((SECONDS - began)) s)"
else
  bad 'helm install --wait'
  tail -n 5 <<<"$output"
  k get pods
  k get events --sort-by=.lastTimestamp | tail -n 10
  for name in auth-svc report-svc; do k logs "deployment/analytics-mcp-$name" --all-containers --tail=5 2>&1 || true; done
  echo '-- end'
  exit 0
fi
check 'helm test: the first question in the cluster' helm_ test analytics-mcp --timeout 60s

# ------------------------------------------------------------------------- who may reach whom
kubectl run stranger --image=analytics-mcp-ga4-sim:test --image-pull-policy=IfNotPresent -- --listen 0.0.0.0:8089 --dealers 1 --days 1 >/dev/null 2>&1 || true
container_pid() { # NAMESPACE SELECTOR
  local id
  id=$(kubectl -n "$1" get pods -l "$2" --field-selector=status.phase=Running -o 'jsonpath={.items[0].status.containerStatuses[0].containerID}')
  ctr --address "$CLUSTER_HOME/run/containerd.sock" -n k8s.io tasks ls | awk -v id="${id#containerd://}" '$1 == id {print $2}'
}
pod_ip() { kubectl -n "$1" get pods -l "$2" --field-selector=status.phase=Running -o 'jsonpath={.items[0].status.podIP}'; }
component() { echo "app.kubernetes.io/component=$1"; }
declare -A port=([gateway]=3334 [auth-svc]=50051 [report-svc]=50052 [aggregate-svc]=50053 [ga4-sim]=8089) pid=() ip=()
for name in "${!port[@]}"; do
  pid[$name]=$(container_pid "$ns" "$(component "$name")")
  ip[$name]=$(pod_ip "$ns" "$(component "$name")")
done
# Through port-forward, and compared with the figures of the simulator, by SQL over its world.
port_forward_answers() (
  # shellcheck source=deploy/lib.sh
  source "$root/deploy/lib.sh"
  kubectl -n "$ns" port-forward service/analytics-mcp 13334:3334 >"$work/forward.log" 2>&1 &
  forward=$!
  trap 'kill $forward' EXIT
  within 15 curl -s -o /dev/null http://127.0.0.1:13334/mcp
  cp "/proc/${pid[ga4-sim]}/root/var/lib/analytics-mcp"/world.db* "$work/"
  ask_first_questions http://127.0.0.1:13334/mcp "$work/world.db"
)
check 'both first questions through kubectl port-forward: the figures are those of the simulator' port_forward_answers
stranger_runs() { [[ $(kubectl get pod stranger -o 'jsonpath={.status.phase}') == Running ]]; }
within 30 stranger_runs || true
pid[stranger]=$(container_pid default run=stranger)
declare -A allowed=([gateway]='auth-svc report-svc aggregate-svc' [auth-svc]='ga4-sim' [report-svc]='auth-svc ga4-sim'
  [aggregate-svc]='auth-svc report-svc' [ga4-sim]='' [stranger]='gateway')
reaches() { # FROM TO PORT
  nsenter -t "${pid[$1]}" -n timeout 1 bash -c "exec 3<>/dev/tcp/${ip[$2]}/$3" 2>/dev/null
}
wrong=0 pairs=0
try_pairs() {
  local from to want is
  for from in gateway auth-svc report-svc aggregate-svc ga4-sim stranger; do
    for to in gateway auth-svc report-svc aggregate-svc ga4-sim; do
      [[ $from != "$to" ]] || continue
      want=no is=no
      [[ " ${allowed[$from]} " != *" $to "* ]] || want=yes
      if reaches "$from" "$to" "${port[$to]}"; then is=yes; fi
      pairs=$((pairs + 1))
      [[ $is == "$want" ]] || { wrong=$((wrong + 1)); bad "$from reaches $to: $is, must be $want"; }
    done
    for to in gateway auth-svc; do
      [[ $from != "$to" ]] || continue
      pairs=$((pairs + 1))
      if reaches "$from" "$to" 9464; then wrong=$((wrong + 1)); bad "$from reaches the metrics of $to"; fi
    done
  done
}
if [[ -n $no_policies ]]; then
  skip "network policies are not enforced here: $no_policies"
else
  try_pairs
  if ((wrong == 0)); then ok "network policies: all $pairs pairs are as they must be"; fi
fi
kubectl delete pod stranger --grace-period=0 --force >/dev/null 2>&1 || true

# The projected token of auth-svc at the simulator's STS, which verifies it by the API server's keys.
sim() { nsenter -t "${pid[auth-svc]}" -n curl -sS --max-time 10 "http://${ip[ga4-sim]}:8089$1" "${@:2}"; }
exchange() {
  sim /v1/token --data-urlencode "subject_token@/proc/${pid[auth-svc]}/root/var/run/secrets/workload-identity/token" --data-urlencode "audience=$provider" \
    -d scope=https://www.googleapis.com/auth/analytics.readonly -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
    -d requested_token_type=urn:ietf:params:oauth:token-type:access_token -d subject_token_type=urn:ietf:params:oauth:token-type:jwt
}
token_is_exchanged() {
  local issuer bearer dealers
  issuer=$(kubectl get --raw /.well-known/openid-configuration | jq -r .issuer)
  exchange | grep -q 'issuer in ID Token' || { echo 'exchanged before the issuer was known'; return 1; }
  kubectl get --raw /openid/v1/jwks | jq --arg issuer "$issuer" '{issuer: $issuer, jwks: .}' | sim /sim/issuer -d @- || return 1
  sim /sim/federation -d "{\"subject\": \"system:serviceaccount:$ns:analytics-mcp-auth-svc\", \"dealer_id\": \"*\", \"direct\": true}" || return 1
  bearer=$(exchange | jq -er .access_token) || { exchange; return 1; }
  dealers=$(sim '/v1beta/accountSummaries?pageSize=200' -H "Authorization: Bearer $bearer" | jq '[.accountSummaries[].propertySummaries[]] | length')
  [[ $dealers == 12 ]] || { echo "$dealers properties, not 12"; return 1; }
}
check "auth-svc's projected token is exchanged and opens the 12 properties" token_is_exchanged

# Mutual TLS: without a certificate nobody gets in, with one of the authority one does.
address=${ip[report-svc]}:50052
tls() { timeout 5 openssl s_client -connect "$address" -alpn h2 -brief "$@" </dev/null 2>&1; }
secret analytics-mcp-gateway-tls tls.crt >"$work/g.crt" && secret analytics-mcp-gateway-tls tls.key >"$work/g.key" && secret analytics-mcp-gateway-tls ca.crt >"$work/g.ca"
check 'the services speak TLS, signed by the authority' bash -c "$(declare -f tls); address=$address; tls -CAfile $work/g.ca -cert $work/g.crt -key $work/g.key | grep -q 'Verification: OK'"

# ------------------------------------------------------------------------------- rollouts under load
url=http://$(k get service analytics-mcp -o 'jsonpath={.spec.clusterIP}'):3334/mcp
# under_load NAME COMMAND...: no call and no session is lost while the command runs, and some seconds after it
under_load() {
  local name=$1 output lost calls gone
  shift
  # All rounds together ask for more than Google grants within an hour, which is not what is tested here.
  nsenter -t "${pid[ga4-sim]}" -n curl -sS --max-time 5 -X DELETE http://127.0.0.1:8089/sim/quota >/dev/null || true
  mkfifo "$work/hold"
  node "$root/tests/cluster/caller.mjs" "$url" 6 250 <"$work/hold" >"$work/calls" 2>"$work/calls.err" &
  local caller=$!
  exec 7>"$work/hold"
  sleep 2 # a steady state before the change
  if ! output=$("$@" 2>&1); then bad "$name: $(tail -n 2 <<<"$output")"; fi
  sleep 4 # what ends late is part of it
  exec 7>&-
  wait "$caller" || true
  rm -f "$work/hold"
  read -r calls lost gone < <(jq -r '"\(.calls) \(.lost) \(.gone)"' "$work/calls" 2>/dev/null || echo 0 all all)
  printf '%s\t%s\t%s\t%s\n' "${name% (*}" "$calls" "$lost" "$gone" >>"$work/table"
  if [[ $lost == 0 && $gone == 0 ]] && ((calls >= 60)); then
    ok "$name: $calls calls of 6 callers, 0 lost, 0 sessions gone"
  else
    bad "$name: $calls calls, $lost lost, $gone sessions gone"
    jq -r '.errors[]' "$work/calls" 2>/dev/null || tail -n 3 "$work/calls.err"
  fi
}
# all_loads: what happened, times, calls, lost, sessions gone
all_loads() {
  awk -F '\t' '{if (!($1 in times)) order[++n] = $1; times[$1]++; calls[$1] += $2; lost[$1] += $3; gone[$1] += $4}
    END {for (i = 1; i <= n; i++) printf "-- %s: %d times, %d calls, %d lost, %d sessions gone\n", order[i], times[order[i]],
      calls[order[i]], lost[order[i]], gone[order[i]]}' "$work/table"
}
pods=$(k get pods --no-headers | grep -cv first-question)
none_is_ending() { [[ $(k get pods --no-headers | grep -cv first-question) == "$pods" ]]; }
# The old pods end after the rollout is complete: that is where calls would be lost.
roll() {
  k rollout restart "deployment/$1" >/dev/null
  k rollout status "deployment/$1" --timeout=120s && within 60 none_is_ending
}
for deployment in analytics-mcp-report-svc analytics-mcp-aggregate-svc analytics-mcp-auth-svc analytics-mcp; do
  for ((i = 1; i <= rollouts; i++)); do under_load "rollout of $deployment ($i of $rollouts)" roll "$deployment"; done
done

# New certificates and keys, read while they run: kubelet refreshes files within a minute or so.
leaf() { # what a pod serves now
  timeout 5 openssl s_client -connect "$(pod_ip "$ns" "$(component report-svc)"):50052" -cert "$work/g.crt" -key "$work/g.key" </dev/null 2>/dev/null | openssl x509 -noout -serial
}
serial=''
has_leaf() { serial=$(leaf) && [[ -n $serial ]]; }
within 30 has_leaf || bad 'report-svc shows its certificate to the node'
rotated() {
  apply --set keys.rotation=two || return 1
  within 150 serves_another
}
serves_another() { local now; now=$(leaf) && [[ -n $now && $now != "$serial" ]]; }
under_load 'rotation of certificates and keys' rotated
restarts=$(k get pods -o 'jsonpath={range .items[*]}{.status.containerStatuses[0].restartCount}{"\n"}{end}' | sort -u)
all_loads
check 'no container was restarted by all this' test "$restarts" = 0

# A crash.
crash() {
  kill -9 "$(container_pid "$ns" "$(component report-svc)")"
  within 60 two_ready
}
two_ready() { [[ $(k get deployment analytics-mcp-report-svc -o 'jsonpath={.status.readyReplicas}') == 2 ]]; }
killed() { crash; }
check 'a report worker that is killed comes back' killed
check 'and the first question is answered' helm_ test analytics-mcp --timeout 60s

# A bad image.
bad_image() { ! helm_ upgrade analytics-mcp "$chart" "${demo[@]}" --set keys.rotation=two,image.tag=missing --atomic --timeout 15s >"$work/atomic.log" 2>&1; }
check 'an upgrade to an image that is not there fails' bad_image
back() { [[ $(k get deployment analytics-mcp -o 'jsonpath={.spec.template.spec.containers[0].image}') == analytics-mcp-gateway:test ]]; }
check 'and is rolled back' back
check 'and the first question is answered' helm_ test analytics-mcp --timeout 60s
check 'helm uninstall' helm_ uninstall analytics-mcp --wait --timeout 60s

# The page's own lines, word by word, with the version that the chart names.
timed_block() { (cd "$2" && timeout 150 bash -euc "$(page_block "$1")"); }
for name in gateway auth-svc report-svc aggregate-svc ga4-sim; do
  ctr --address "$CLUSTER_HOME/run/containerd.sock" -n k8s.io images tag "docker.io/library/analytics-mcp-$name:test" \
    "docker.io/library/analytics-mcp-$name:$(sed -n 's/^appVersion: *"\{0,1\}\([^"]*\).*/\1/p' "$chart/Chart.yaml")" >/dev/null
done
check 'docs/DEPLOYMENT.md: installation and first question' timed_block cluster-b/install "$root"
mkdir "$work/release"
ln -s "$root/deploy" "$root/helm" "$work/release/"
cp "$chart/values-demo.yaml" "$work/release/my-values.yaml"
export REGISTRY=docker.io/library # what an image without a registry is of
check 'docs/DEPLOYMENT.md: an upgrade by deploy/release.sh, and the first question' timed_block cluster-b/release "$work/release"
backup() { run_block cluster-b/backup "$work" && grep -c '^  kind: Secret' "$work/keys.yaml" | grep -qx 3; }
check 'docs/DEPLOYMENT.md: the backup of keys' backup
check 'helm uninstall again' helm_ uninstall analytics-mcp --wait --timeout 60s
check 'every block of docs/DEPLOYMENT.md that is run here was' every_block_was_run cluster-b
echo '-- end'
