# Stage A: the chart against a real API server; kwok plays the nodes. run.sh starts it.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
demo=(-f "$chart/values-demo.yaml" --set image.tag=test)

# The cluster comes up behind what needs none.
began_up=$SECONDS
{ "$cluster" up fake 4 >"$work/up.log" 2>&1 && echo $((SECONDS - began_up)) >"$work/up"; } &
up=$!
trap 'kill "$up" 2>/dev/null || true' EXIT

# --------------------------------------------------------------------------------- without a cluster
render() { helm template analytics-mcp "$chart" --kube-version 1.34.0 "$@"; }
check 'helm lint, defaults' helm lint --strict "$chart" --set dealers.existingSecret=dealers
check 'helm lint, demo' helm lint --strict "$chart" -f "$chart/values-demo.yaml"
check 'helm lint, eks' helm lint --strict "$chart" -f "$chart/values-eks.yaml"
# One rendering shows the faults of all; each must be named.
wrong=(
  'gateway.replica=3' 'replicas=3' 'gateway.replicas=0' 'authSvc.replicas=-1' 'reportSvc.replicas=two' 'aggregateSvc.replicas=1.5'
  'logLevel=LOUD' 'tls.mode=on' 'tls.helm.days=0' 'tls.certManager.duration=soon' 'image.pullPolicy=Sometimes' 'image.registry=https://r.example'
  'image.tag=a tag' 'image.pullSecrets[0]=Upper' 'gateway.service.port=70000' 'gateway.service.type=Headless' 'gateway.status.port=3334'
  'auth.jwt.jwksUrl=http://plain.example' 'auth.jwt.keys=x' 'auth.accountTokens=maybe' 'auth.jwt.hs256Secret.key=a/b'
  'gateway.resourceUrl=analytics.example/mcp' 'gateway.authServers=issuer.example' 'gateway.allowedOrigins=chat.example'
  'gateway.trustedProxies=ingress' 'gateway.toolsets=everything' 'gateway.autoscaling.metric=inFlight' 'gateway.podAnnotations.scrape=true'
  'reportSvc.autoscaling.metric=memory' 'aggregateSvc.autoscaling.metric=memory' 'reportSvc.autoscaling.cpu=0' 'reportSvc.pdb.maxUnavailable=many'
  'reportSvc.resources.requests.cpu=lots' 'reportSvc.resources.limits.memory=1GiB' 'reportSvc.resources.limits.memmory=1Gi'
  'simulator.resources.limits.cpu=-1' 'aggregateSvc.state.size=big' 'authSvc.audit.size=5 Gi' 'authSvc.audit.fsync=often'
  'shutdown.preStopSeconds=0' 'reportSvc.env.lower=1' 'networkPolicy.enabled=maybe' 'reportSvc.benchmark.places=11'
  'dealers.waitSeconds=-1' 'dealers.existingSecrets=x' 'dealers.externalSecret.refreshInterval=often' 'dealers.externalSecret.secretStore.kind=Store'
  'google.dataEndpoint=analyticsdata.googleapis.com' 'redis.existingSecret=My_Secret' 'redis.url=redis://r' 'postgresql.key=a b'
  'tracing.sampler=sometimes' 'tracing.endpoint=collector:4318' 'tracing.samplerArg=2' 'monitoring.dashboard.enable=true'
  'monitoring.serviceMonitor.interval=often' 'workloadIdentity.expirationSeconds=60' 'workloadIdentity.mountPath=relative' 'keys.rotate=x'
  'ingress.host=https://a.example' 'ingress.annotations.a=1' 'ingress.tls=x' 'networkPolicy.gatewayFrom[0].namespace=x'
  'networkPolicy.internetTo[0].ipBlock.cidr=10.0.0.0' 'networkPolicy.extraEgress.reportSvc[0].from=x' 'networkPolicy.collectorPort=0'
  'topologySpread.whenUnsatisfiable=Never' 'authSvc.tolerations[0].effect=Never' 'authSvc.affinity.node=x' 'authSvc.nodeSelector.a=true'
  'connect.url=http://a.example/connect' 'connect.privacyUrl=a.example' 'connect.databases=x' 'test.token=x' 'clusterDomain=a domain'
)
for setting in "${wrong[@]}"; do printf -- '--set\0%s\0' "$setting"; done >"$work/wrong"
mapfile -d '' -t all_wrong <"$work/wrong"
! render "${demo[@]}" "${all_wrong[@]}" >/dev/null 2>"$work/refused" || bad 'all of the wrong values together are accepted'
refused() { # SETTING: the schema's message names it
  local path
  path=/$(tr -d ']' <<<"${1%%=*}" | tr '.[' '//')
  grep -qF "at '$path':" "$work/refused" || grep -F "at '${path%/*}':" "$work/refused" | grep -q "ropert.*'${path##*/}'" ||
    { tail -n 3 "$work/refused"; return 1; }
}
for setting in "${wrong[@]}"; do check "the schema refuses $setting" refused "$setting"; done
# says WORDS OPTION...: it is refused with these words, which begin with the value's name
says() {
  local output
  ! output=$(render "${@:2}" 2>&1 >/dev/null) || { echo accepted; return 1; }
  grep -qF -- ": $1" <<<"$output" || { echo "$output"; return 1; }
}
live=(--set dealers.existingSecret=dealers)
check 'without dealers nothing is rendered' says 'dealers: set exactly one of'
check 'two sources of dealers are refused' says 'dealers: set exactly one of' "${demo[@]}" --set dealers.existingSecret=x
check 'an external secret of no store is refused' says 'dealers.externalSecret.secretStore.name: ' --set dealers.externalSecret.enabled=true,dealers.externalSecret.remoteKey=k
check 'an external secret without its key is refused' says 'dealers.externalSecret.remoteKey: ' --set dealers.externalSecret.enabled=true,dealers.externalSecret.secretStore.name=s
check 'a dealers file that is not JSON is refused' says 'dealers.content: must be a JSON object' --set dealers.content=dealers
check 'policies that are not JSON are refused' says 'auth.policies: must be a JSON object' "${live[@]}" --set auth.policies=p
check 'issuers that are not JSON are refused' says 'auth.issuers: must be a JSON object' "${live[@]}" --set auth.issuers=i
check 'rights by certificate without certificates are refused' says 'auth.policies: ' "${live[@]}" --set tls.mode=off --set-file "auth.policies=$root/config/policies.example.json"
check 'fewer replicas at the most than at the least are refused' says 'reportSvc.autoscaling.maxReplicas: ' "${live[@]}" --set reportSvc.autoscaling.minReplicas=9
check 'a resource URL without authorization servers is refused' says 'gateway.resourceUrl, gateway.authServers: ' "${live[@]}" --set gateway.resourceUrl=https://a.example/mcp
check 'two audiences are refused' says 'auth.jwt.audience: ' "${live[@]}" --set gateway.resourceUrl=https://a.example/mcp,gateway.authServers=https://i.example,auth.jwt.audience=a
check 'less of the audit log than one file is refused' says 'authSvc.audit.keepBytes: ' "${live[@]}" --set authSvc.audit.keepBytes=1000
check 'a grace period shorter than what it holds is refused' says 'shutdown.graceSeconds: ' "${demo[@]}" --set shutdown.graceSeconds=15
check 'also where calls get more of it' says 'shutdown.graceSeconds: ' "${demo[@]}" --set-string gateway.env.ANALYTICS_MCP_GRACE_MS=20000
refute 'state of one process and two replicas are refused' render "${demo[@]}" --set authSvc.state.enabled=true,authSvc.replicas=2
connect=(--set connect.url=https://a.example/connect,connect.clientId=c,connect.existingSecret=s,ingress.enabled=true,ingress.host=a.example)
refute 'dealers cannot connect without a disk or a database' render --set dealers.existingSecret=d "${connect[@]}"
check 'dealers connect by consent' render --set dealers.existingSecret=d "${connect[@]}" --set authSvc.state.enabled=true,authSvc.replicas=1
connects_by_database() {
  render --set dealers.existingSecret=d "${connect[@]}" -s templates/auth-svc.yaml --set connect.database.existingSecret=p,authSvc.replicas=3 >"$work/connect.yaml" || return 1
  grep -q DATABASE_URL "$work/connect.yaml" && grep -q 'replicas: 3' "$work/connect.yaml" && ! grep -qE 'AUTH_STATE_DIR|PersistentVolumeClaim' "$work/connect.yaml"
}
check 'three replicas of auth-svc connect dealers over PostgreSQL' connects_by_database
refute 'an audit log of one process and two replicas are refused' render "${demo[@]}" --set authSvc.audit.enabled=true,authSvc.replicas=2
refute 'several aggregate-svc that share no releases are refused' render "${live[@]}" --set aggregateSvc.state.enabled=false,aggregateSvc.replicas=2
refute 'a disk of releases and two replicas are refused' render "${live[@]}" --set aggregateSvc.replicas=2,postgresql.existingSecret=''
refute 'a disk of releases and an autoscaler are refused' render "${live[@]}" --set aggregateSvc.autoscaling.enabled=true
refute 'a disk of releases and PostgreSQL are refused' render "${live[@]}" --set postgresql.existingSecret=p
releases_are_kept() { # by a disk, or by PostgreSQL, never by both
  render "${live[@]}" -s templates/aggregate-svc.yaml >"$work/disk.yaml" || return 1
  grep -q 'AGGREGATE_STATE_DIR' "$work/disk.yaml" && grep -q 'claimName: analytics-mcp-releases' "$work/disk.yaml" &&
    grep -q 'storage: 1Gi' "$work/disk.yaml" && grep -q 'type: Recreate' "$work/disk.yaml" || { echo 'no disk'; return 1; }
  render "${live[@]}" -s templates/aggregate-svc.yaml --set aggregateSvc.state.enabled=false,aggregateSvc.replicas=2,postgresql.existingSecret=p >"$work/postgres.yaml" || return 1
  grep -q DATABASE_URL "$work/postgres.yaml" && ! grep -qE 'AGGREGATE_STATE_DIR|PersistentVolumeClaim' "$work/postgres.yaml"
}
check 'what is released is kept, on a disk or in PostgreSQL' releases_are_kept
files=(--set-file "auth.policies=$root/config/policies.example.json,auth.issuers=$root/config/issuers.example.json")
# Each setting below arrives at its program under the name that docs/SETTINGS.md gives it.
settings_arrive() {
  local name value file bad=0 list=$work/arrive
  cat >"$list"
  render "${live[@]}" "${files[@]}" --set "$(cut -d ' ' -f 4- "$list" | paste -sd ,)" >"$list.yaml" || return 1
  while read -r file name value _; do
    grep -q "^| \`$name\`" "$root/docs/SETTINGS.md" || { echo "no setting $name"; bad=1; }
    part_of "$file" <"$list.yaml" | tr -d '"' |
      grep -A 1 -E "^ *(- name: )?$name(: |$)" | grep -E "(value: |$name: )$value\$" >/dev/null || { echo "$name is not $value"; bad=1; }
  done <"$list"
  return "$bad"
}
settings_table() {
  cat <<'TABLE'
configmap AMCP_DRAIN_MS 7000 shutdown.drainMs=7000
gateway ANALYTICS_MCP_TOOLSETS all gateway.toolsets=all
gateway ANALYTICS_MCP_TRUSTED_SUBJECT librechat gateway.trustedSubject=librechat
auth-svc AUTH_ACCOUNT_TOKENS off auth.accountTokens=off
configmap AUTH_SVC_IDENTITY spiffe://a/b tls.identities.authSvc=spiffe://a/b
configmap REPORT_SVC_IDENTITY r tls.identities.reportSvc=r
configmap AGGREGATE_SVC_IDENTITY g tls.identities.aggregateSvc=g
auth-svc GA_CREDENTIALS_WAIT_S 60 dealers.waitSeconds=60
auth-svc AUTH_JWT_MAX_LIFE_S 3600 auth.jwt.maxLifeSeconds=3600
auth-svc AUTH_ISSUERS_FILE /etc/analytics-mcp/access/issuers.json auth.enabled=true
auth-svc AUTH_POLICY_FILE /etc/analytics-mcp/access/policies.json auth.enabled=true
auth-svc AUTH_AUDIT_SINK syslog authSvc.audit.sink=syslog
auth-svc AUTH_AUDIT_FSYNC always authSvc.replicas=1,authSvc.audit.enabled=true,authSvc.audit.fsync=always
auth-svc AUTH_AUDIT_MAX_BYTES 1048576 authSvc.replicas=1,authSvc.audit.enabled=true,authSvc.audit.maxBytes=1048576
auth-svc AUTH_AUDIT_KEEP_BYTES 5368709120 authSvc.replicas=1,authSvc.audit.enabled=true,authSvc.audit.keepBytes=5368709120
auth-svc AUTH_AUDIT_KEEP_DAYS 400 authSvc.replicas=1,authSvc.audit.enabled=true,authSvc.audit.keepDays=400
auth-svc AUTH_AUDIT_WARN_FREE_BYTES 7 authSvc.replicas=1,authSvc.audit.enabled=true,authSvc.audit.warnFreeBytes=7
report-svc REPORT_BENCHMARK_REPORTS 500 reportSvc.benchmark.reports=500
report-svc REPORT_BENCHMARK_PERCENT 10 reportSvc.benchmark.percent=10
report-svc REPORT_BENCHMARK_PLACES 3 reportSvc.benchmark.places=3
configmap OTEL_EXPORTER_OTLP_ENDPOINT http://c:4318 tracing.endpoint=http://c:4318
configmap OTEL_TRACES_SAMPLER always_off tracing.endpoint=http://c:4318,tracing.sampler=always_off
configmap OTEL_TRACES_SAMPLER_ARG 0.05 tracing.endpoint=http://c:4318,tracing.samplerArg=0.05
configmap OTEL_RESOURCE_ATTRIBUTES a=b tracing.endpoint=http://c:4318,tracing.resourceAttributes=a=b
TABLE
}
# shellcheck source=tests/cluster/settings.sh
source "$root/tests/cluster/settings.sh"
check 'settings of the chart arrive at the programs' settings_arrive < <(settings_table)
check 'every setting of every program is reachable from the chart' every_setting_is_reachable
refute 'a variable that the chart sets is refused in env' render "${live[@]}" --set gateway.env.GATEWAY_SESSION_KEY_FILE=/x
files_arrive() {
  render "${live[@]}" -s templates/gateway.yaml --set 'gateway.secretFiles={status-tls}' >"$work/files.yaml" || return 1
  grep -q 'secretName: status-tls' "$work/files.yaml" && grep -q 'mountPath: /etc/analytics-mcp/files/status-tls,' "$work/files.yaml"
}
check 'Secrets for variables that name a file are mounted' files_arrive
audit_is_kept() {
  local output
  output=$(render "${demo[@]}" --set authSvc.audit.enabled=true,authSvc.replicas=1,authSvc.audit.keepDays=30,authSvc.audit.sink=stdout)
  for text in analytics-mcp-audit /var/lib/analytics-mcp/audit/audit.log AUTH_AUDIT_KEEP_DAYS '"4294967296"' stdout; do
    grep -q -e "$text" <<<"$output" || { echo "no $text"; return 1; }
  done
}
check 'the audit log has a disk, and what is kept of it' audit_is_kept
alerts_of_page() { awk '/^```yaml alerts/{f=1;next} /^```/{f=0} f' "$root/docs/MONITORING.md" | diff - "$chart/files/alerts.yaml"; }
check 'the alerts are those of docs/MONITORING.md' alerts_of_page
dashboard_is_whole() {
  local file=$chart/files/dashboard.json output
  output=$(render "${live[@]}" -s templates/monitoring.yaml --set monitoring.dashboard.enabled=true)
  grep -q 'grafana_dashboard: "1"' <<<"$output" || { echo 'no label'; return 1; }
  diff <(grep '^  analytics-mcp.json: ' <<<"$output" | sed 's/^  analytics-mcp.json: //' | jq -r . | jq -S .) <(jq -S . "$file")
}
check 'the dashboard arrives as it is' dashboard_is_whole
traces=(--set tracing.endpoint=http://collector:4318,tracing.headersSecret=otel)
traces_go_out() { # of all four programs, through the network policies too
  local output
  output=$(render "${live[@]}" "${traces[@]}" --set-json 'networkPolicy.collectorTo=[{"namespaceSelector":{"matchLabels":{"name":"otel"}}}]')
  [[ $(grep -c 'name: OTEL_EXPORTER_OTLP_HEADERS' <<<"$output") = 4 ]] || { echo 'headers of four programs'; return 1; }
  [[ $(grep -c 'port: 4318' <<<"$output") = 4 ]] || { echo 'policies of four programs'; return 1; }
  ! render "${live[@]}" | grep -qE 'OTEL_|4318'
}
check 'traces go to the collector, and without one nothing is said of it' traces_go_out
page_names_values() { # that the schema has
  local path keys bad=0 count=0
  while read -r path; do
    keys=$(jq -Rc 'split(".") | map("properties", .)' <<<"$path")
    jq -e --argjson keys "${keys%%,\"properties\",*}]" 'getpath($keys) != null' "$chart/values.schema.json" >/dev/null 2>&1 || continue
    count=$((count + 1))
    jq -e --argjson keys "$keys" 'getpath($keys) != null' "$chart/values.schema.json" >/dev/null || { echo "no value $path"; bad=1; }
  done < <(grep -oE '`[a-z][A-Za-z]+(\.[A-Za-z]+)+' "$root/docs/DEPLOYMENT.md" | tr -d '\`' | grep -vE '\.(json|yaml|yml)$' | sort -u)
  ((count > 20 && bad == 0)) || { echo "$count values"; return 1; }
}
check 'every block of docs/DEPLOYMENT.md says what runs it, or why nothing does' blocks_are_marked "$root/docs/DEPLOYMENT.md"
check 'the values that docs/DEPLOYMENT.md names are there' page_names_values

# Workflows.
workflows_are_right() { (cd "$root" && actionlint -color=false .github/workflows/*.yml); }
check 'actionlint finds nothing in the workflows' workflows_are_right
pinned() { ! grep -hE '^ *(- )?uses: ' "$root"/.github/workflows/*.yml | grep -vE '@([0-9a-f]{40} # v[0-9.]+|v[0-9]+(\.[0-9.]+)?)$'; }
check 'every action is pinned, by digest or by version' pinned
check 'tags of images' test "$("$root/deploy/image-tags.sh" r/x abcdef1 0.2.0 | tail -n 1)" = 'tags=r/x:latest,r/x:abcdef1,r/x:0.2.0'
refute 'a version that is not one is refused' "$root/deploy/image-tags.sh" r/x abcdef1 'v2; rm'

# deploy/release.sh, with programs in place of helm and kubectl that write down what they are asked to do.
mkdir "$work/stubs"
for name in helm kubectl; do
  printf '#!/bin/sh\n[ "$1" != template ] || exec %q "$@"\necho "%s $*" >>%q\ncase "$*" in *--from-file=token=*) cat >%q ;; esac\n' \
    "$(command -v helm)" "$name" "$work/asked" "$work/token" >"$work/stubs/$name"
  chmod +x "$work/stubs/$name"
done
release() { : >"$work/asked" && PATH=$work/stubs:$PATH "$root/deploy/release.sh" --tag 0.2.0 "$@"; }
release_wants_a_token() { # where callers need one; nothing is changed without it
  local code=0
  release --values "$chart/values-eks.yaml" >"$work/release.log" 2>&1 || code=$?
  [[ $code == 2 && ! -s $work/asked ]] && grep -q 'set MCP_TOKEN, or test.bearerSecret' "$work/release.log"
}
check 'a release where callers need a token is refused without one' release_wants_a_token
release_asks_with_its_token() {
  MCP_TOKEN=the.own.token release --values "$chart/values-eks.yaml" --release blue || return 1
  [[ $(cat "$work/token") == the.own.token && $(wc -c <"$work/token") == 13 ]] || { echo 'another token'; return 1; }
  ! grep -q 'the.own.token' "$work/asked" || { echo 'it is in the arguments of a program'; return 1; }
  grep -q '^helm upgrade .*--atomic.* --set-string test.bearerSecret=blue-first-question' "$work/asked" || { cat "$work/asked"; return 1; }
  [[ $(grep -nE 'create secret|^helm test|delete secret blue-first' "$work/asked" | cut -d : -f 2 | cut -d ' ' -f 2 | tr '\n' ' ') == 'create test delete ' ]] || { cat "$work/asked"; return 1; }
}
check 'with one it asks, and takes it out of the cluster again' release_asks_with_its_token
release_asks_openly() { release --values "$chart/values-demo.yaml" && ! grep -qE 'secret|bearer' "$work/asked"; }
check 'where callers need none it brings none' release_asks_openly

# ------------------------------------------------------------------------------------- API server
if ! wait "$up"; then
  bad 'the cluster comes up'
  tail -n 5 "$work/up.log"
  echo '-- end'
  exit 0
fi
ok "the cluster is up ($(cat "$work/up") s)"
check 'docs/DEPLOYMENT.md: a namespace that enforces the strictest pod security' run_block cluster-a/namespace "$root"
two=(--set gateway.replicas=2 --set authSvc.replicas=2 --set reportSvc.replicas=2 --set aggregateSvc.replicas=2)
install_() { helm_ upgrade --install analytics-mcp "$chart" "${demo[@]}" "${two[@]}" --wait --timeout 60s "$@"; }
began=$SECONDS
check 'helm install --wait, in a namespace of pod security "restricted"' install_
say "install took $((SECONDS - began)) s"
check 'the gateway is the Service analytics-mcp at 3334' test "$(k get service analytics-mcp -o 'jsonpath={.spec.ports[?(@.name=="http")].port}')" = 3334
check 'and pins nobody to one replica' test "$(k get service analytics-mcp -o 'jsonpath={.spec.sessionAffinity}')" = None
headless() { [[ $(k get service "analytics-mcp-$1" -o 'jsonpath={.spec.clusterIP}') == None ]]; }
for name in auth-svc report-svc aggregate-svc; do check "$name is headless: gRPC finds every pod" headless "$name"; done

# Certificates and keys.
certificate_is_right() {
  secret "analytics-mcp-$1-tls" tls.crt >"$work/c.pem"
  secret "analytics-mcp-$1-tls" ca.crt >"$work/ca.pem"
  openssl verify -CAfile "$work/ca.pem" "$work/c.pem" || return 1
  # The first name is the identity.
  openssl x509 -in "$work/c.pem" -noout -ext subjectAltName | grep -oE 'DNS:[^,]*' | head -n 1 | grep -qx "DNS:$1"
}
for name in gateway auth-svc report-svc aggregate-svc; do check "certificate of $name: signed, and its first name is $name" certificate_is_right "$name"; done
seal=$(secret analytics-mcp-auth-keys seal.key) ring=$(secret analytics-mcp-auth-keys keyring) session=$(secret analytics-mcp-session-key session.key)
ca=$(secret analytics-mcp-ca tls.crt) leaf=$(secret analytics-mcp-gateway-tls tls.crt)
check 'helm upgrade' install_ --set logLevel=DEBUG
check 'an upgrade keeps the seal key' test "$(secret analytics-mcp-auth-keys seal.key)" = "$seal"
check 'an upgrade keeps the authority' test "$(secret analytics-mcp-ca tls.crt)" = "$ca"
check 'an upgrade makes new certificates' test "$(secret analytics-mcp-gateway-tls tls.crt)" != "$leaf"
check 'a rotation' install_ --set keys.rotation=one
# No replica seals with a key that another one does not have yet: the second of old is the first of new.
rotates_in_two_steps() { # SECRET KEY OLD
  local now
  now=$(secret "$1" "$2")
  diff <(sed -n '1p;3p' <<<"$now") <(sed -n 2p <<<"$3"; sed -n 1p <<<"$3") || return 1
  [[ $(wc -l <<<"$now") == 3 && $(sort -u <<<"$now" | wc -l) == 3 ]]
}
check 'lets the second seal key seal, and adds one' rotates_in_two_steps analytics-mcp-auth-keys seal.key "$seal"
check 'and of the session keys' rotates_in_two_steps analytics-mcp-session-key session.key "$session"
check 'and of the ring' rotates_in_two_steps analytics-mcp-auth-keys keyring "$ring"
check 'a change of a setting is a new pod template' test "$(k get deployment analytics-mcp -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')" -ge 2
check 'docs/DEPLOYMENT.md: a rollback, to the revision before' run_block cluster-a/rollback "$root"
check 'which seals with the first key again' test "$(secret analytics-mcp-auth-keys seal.key)" = "$seal"
began=$SECONDS
check 'helm rollback' helm_ rollback analytics-mcp 1 --wait --timeout 60s
say "rollback took $((SECONDS - began)) s"
check 'is back at its settings' test "$(k get configmap analytics-mcp-config -o 'jsonpath={.data.LOG_LEVEL}')" = INFO

# Spread and disruption.
zones() { k get pods -l "app.kubernetes.io/component=$1" -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l; }
for name in gateway report-svc; do check "two pods of $name are on two nodes" test "$(zones "$name")" = 2; done
evict() { # POD
  kubectl create --raw "/api/v1/namespaces/$ns/pods/$1/eviction" -f - <<<"{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$1\",\"namespace\":\"$ns\"}}"
}
pod_of() { k get pods -l "app.kubernetes.io/component=$1" -o 'jsonpath={.items[0].metadata.name}'; }
check 'disruption budgets of 0' install_ --set reportSvc.pdb.maxUnavailable=0
budget_is() { [[ $(k get pdb analytics-mcp-report-svc -o 'jsonpath={.status.disruptionsAllowed}') == "$1" ]]; }
within 20 budget_is 0 || true
refute 'refuse an eviction' evict "$(pod_of report-svc)"
drain() { kubectl drain "$(k get pod "$(pod_of report-svc)" -o 'jsonpath={.spec.nodeName}')" --ignore-daemonsets --delete-emptydir-data --force --timeout=5s; }
refute 'and a drain' drain
kubectl uncordon -l kubernetes.io/os=linux >/dev/null
check 'budgets of 1' install_ --set reportSvc.pdb.maxUnavailable=1
within 20 budget_is 1 || true
check 'let one pod go' evict "$(pod_of report-svc)"

# Autoscaling on our own metric.
echo '{"rpc_server_in_flight": 4}' >"$work/metrics.json"
check 'custom metrics are served' "$cluster" custom-metrics "$work/metrics.json"
check 'report-svc scales on calls in flight' install_ --set reportSvc.autoscaling.enabled=true,reportSvc.autoscaling.metric=inFlight,reportSvc.autoscaling.inFlight=16,reportSvc.autoscaling.maxReplicas=6
replicas_are() { [[ $(k get deployment analytics-mcp-report-svc -o 'jsonpath={.spec.replicas}') == "$1" ]]; }
echo '{"rpc_server_in_flight": 60}' >"$work/metrics.json"
began_load=$SECONDS
check 'up to 6 under load' within 60 replicas_are 6
echo '{"rpc_server_in_flight": 2}' >"$work/metrics.json"

# Objects of other operators, by their real types.
began=$SECONDS
check 'resource types of cert-manager, prometheus-operator, External Secrets' "$cluster" crds
say "resource types took $((SECONDS - began)) s"
server_takes() { helm template analytics-mcp "$chart" -n "$ns" --kube-version 1.34.0 "$@" | kubectl -n "$ns" apply --dry-run=server --validate=strict -f -; }
check 'values-eks.yaml: the API server takes every object' server_takes -f "$chart/values-eks.yaml"
issuer_of_page() { run_block cluster-a/issuer "$root" >"$work/issuer" && grep -c created "$work/issuer" | grep -qx 3; }
check 'and the issuer of docs/DEPLOYMENT.md' issuer_of_page
export AWS_REGION=us-east-1
check 'and its store of secrets' run_block cluster-a/secret-store "$root"
cp "$root/config/dealers.example.json" "$work/dealers.json"
check 'docs/DEPLOYMENT.md: the Secret of dealers' run_block cluster-a/dealers "$work"
check 'which has the file' test "$(secret dealers dealers.json)" = "$(cat "$work/dealers.json")"
export PASSWORD=p RDS_HOST=db.example
check 'docs/DEPLOYMENT.md: the Secret of PostgreSQL' run_block cluster-a/postgresql "$root"
check 'which has its address' test "$(secret analytics-mcp-postgresql url)" = 'postgresql://analytics:p@db.example/analytics'
live_is_taken() { # by these two
  server_takes --set dealers.existingSecret=dealers,postgresql.existingSecret=analytics-mcp-postgresql,aggregateSvc.state.enabled=false
}
check 'a chart with both: it takes every object' live_is_taken
check 'policies, JWT keys, state, Redis, PostgreSQL: it takes every object' server_takes "${demo[@]}" --set-string \
  'auth.jwt.publicKeys=PEM,auth.jwt.issuer=https://i,redis.existingSecret=r,postgresql.existingSecret=p' \
  "${files[@]}" --set authSvc.state.enabled=true,workloadIdentity.enabled=true,workloadIdentity.audience=a

# Combinations of values that people have, each as a release of its own, in one look of the API server.
cat >"$work/numbers.yaml" <<'YAML'
reportSvc:
  env: {REPORT_CACHE_BYTES: 268435456, REPORT_FAN_OUT: 32, AMCP_ALLOW_CORE_DUMPS: true}
  podAnnotations: {prometheus.io/scrape: "true", prometheus.io/port: "9464"}
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
  tolerations: [{key: dedicated, operator: Equal, value: reports, effect: NoSchedule}]
  nodeSelector: {pool: reports}
  priorityClassName: high
simulator: {seed: 12345678}
YAML
store=(--set dealers.externalSecret.enabled=true,dealers.externalSecret.remoteKey=k,dealers.externalSecret.secretStore.name=s)
combination() { printf -- '---\n' && helm template "c$((++combinations))" "$chart" -n "$ns" --kube-version 1.34.0 "$@"; }
combinations_render() {
  local combinations=0
  combination "${demo[@]}" -f "$work/numbers.yaml" &&
    combination "${live[@]}" --set tls.mode=off,networkPolicy.enabled=false,topologySpread.enabled=false,gateway.pdb.enabled=false &&
    combination "${live[@]}" --set tls.mode=existing,keys.existingSecret=k,keys.existingSessionSecret=s,image.registry=r.example:5000/team,image.tag=0.2.0,'image.pullSecrets={pull}' &&
    combination "${store[@]}" --set dealers.externalSecret.property=p,dealers.waitSeconds=600,dealers.requireSealed=true &&
    combination --set-file "dealers.content=$root/config/dealers.example.json" "${files[@]}" --set keys.rotation=one &&
    combination "${live[@]}" --set tls.mode=certManager,tls.certManager.issuer.name=i,tls.certManager.issuer.kind=Issuer,tls.certManager.duration=720h &&
    combination "${live[@]}" "${connect[@]}" --set connect.database.existingSecret=p,authSvc.replicas=3,gateway.service.type=LoadBalancer,gateway.replicas=1 &&
    combination "${live[@]}" --set ingress.enabled=true,ingress.host=a.example,ingress.className=nginx,ingress.tlsSecret=t,ingress.annotations.a=b,gateway.service.type=NodePort,gateway.service.sessionAffinity=ClientIP &&
    combination "${live[@]}" --set gateway.autoscaling.enabled=true,reportSvc.autoscaling.enabled=true,reportSvc.pdb.maxUnavailable=50%,gateway.status.enabled=true &&
    combination "${live[@]}" --set aggregateSvc.state.enabled=false,postgresql.existingSecret=p,aggregateSvc.autoscaling.enabled=true,aggregateSvc.autoscaling.metric=inFlight,redis.existingSecret=r,redis.caKey=ca \
      --set-json 'networkPolicy.extraEgress.aggregateSvc=[{"to":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"protocol":"TCP","port":5432}]}],networkPolicy.dnsTo=[{"ipBlock":{"cidr":"169.254.20.10/32"}}]' &&
    combination "${live[@]}" --set authSvc.replicas=1,authSvc.state.enabled=true,authSvc.audit.enabled=true,authSvc.audit.existingClaim=c,authSvc.state.storageClassName=gp3,aggregateSvc.state.size=10Gi &&
    combination "${live[@]}" "${traces[@]}" --set monitoring.serviceMonitor.enabled=true,monitoring.serviceMonitor.labels.release=prometheus,monitoring.prometheusRule.enabled=true,monitoring.dashboard.enabled=true,test.bearerSecret=t &&
    combination "${live[@]}" --set fullnameOverride=short,clusterDomain=corp.local,workloadIdentity.enabled=true,workloadIdentity.audience=a \
      --set-json 'authSvc.serviceAccount.annotations={"eks.amazonaws.com/role-arn":"arn:aws:iam::111122223333:role/r"},authSvc.secretFiles=["adc"]'
}
combinations_are_taken() {
  combinations_render >"$work/combinations.yaml" && kubectl -n "$ns" apply --dry-run=server --validate=strict -f "$work/combinations.yaml"
}
check 'thirteen combinations of values: the API server takes every object' combinations_are_taken
numbers_are_whole() { # in environment and arguments; Helm reads those of a file as floating point
  for text in '{name: REPORT_CACHE_BYTES, value: "268435456"}' '{name: REPORT_FAN_OUT, value: "32"}' '{name: AMCP_ALLOW_CORE_DUMPS, value: "true"}' '--seed, "12345678"'; do
    grep -qF -- "$text" "$work/combinations.yaml" || { echo "no $text"; return 1; }
  done
}
check 'numbers of a values file arrive as they are written' numbers_are_whole
metrics_of_all() { [[ $(grep -c 'port: 9464, targetPort' "$work/combinations.yaml") == $((4 * 13)) ]]; }
check 'every service has its metrics in a Service, also a gateway that others reach' metrics_of_all
waits_long_enough() { part_of auth-svc <"$work/combinations.yaml" | grep 'failureThreshold: 360'; }
check 'a pod that waits for its dealers file is given the time' waits_long_enough

# Mutated manifests are refused: the check above can fail.
render_eks() { helm template analytics-mcp "$chart" -n "$ns" --kube-version 1.34.0 -f "$chart/values-eks.yaml"; }
render_eks >"$work/eks.yaml"
mutations=(
  's/terminationGracePeriodSeconds:/terminationGracePeriod:/' 's/readinessProbe:/readynessProbe:/' 's/dnsNames:/dnsName:/'
  's/maxUnavailable: 1$/maxUnavailable: many/' 's/averageUtilization:/averageUtilisation:/' 's/remoteRef:/remote:/'
  's/podSelector:/podSelectors:/' 's/runAsNonRoot: true/runAsNonRoot: perhaps/' 's/kind: Certificate$/kind: Certificates/'
  's/pathType: Prefix/pathType: Prefixed/' 's/interval: 30s/every: 30s/' 's/topologyKey:/topology:/'
)
mutated_is_refused() {
  sed "$1" "$work/eks.yaml" >"$work/mutated.yaml"
  ! cmp -s "$work/eks.yaml" "$work/mutated.yaml" || { echo "$1 changes nothing"; return 1; }
  ! kubectl -n "$ns" apply --dry-run=server --validate=strict -f "$work/mutated.yaml" >/dev/null 2>&1
}
for mutation in "${mutations[@]}"; do check "refused: $mutation" mutated_is_refused "$mutation"; done
unsafe_is_refused() { # by the namespace's pod security
  k get deployment analytics-mcp -o json |
    jq '.spec.template | .apiVersion="v1" | .kind="Pod" | .metadata.name="unsafe" | '"$1" >"$work/unsafe.json"
  ! k create --dry-run=server -f "$work/unsafe.json" >"$work/unsafe.log" 2>&1 || { echo 'taken'; return 1; }
  grep -q 'violates PodSecurity' "$work/unsafe.log" || { cat "$work/unsafe.log"; return 1; }
}
check 'a pod that may gain privileges is refused' unsafe_is_refused '.spec.containers[0].securityContext.allowPrivilegeEscalation=true'
check 'a pod as root is refused' unsafe_is_refused '.spec.securityContext.runAsNonRoot=false'

# What the autoscaler has done meanwhile.
check 'and down to 2 after it' within 90 replicas_are 2
say "up and down took $((SECONDS - began_load)) s, beside the checks above"
check 'an upgrade leaves the number to the autoscaler' helm_ upgrade analytics-mcp "$chart" --reuse-values --set logLevel=WARN
check 'two replicas still' replicas_are 2
check 'helm uninstall' helm_ uninstall analytics-mcp --wait --timeout 60s
check 'keys stay after an uninstall' k get secret analytics-mcp-auth-keys
seal=$(secret analytics-mcp-auth-keys seal.key)
again() { (cd "$root" && bash -euc "$(page_block cluster-b/install | sed -n 1p)"); }
check 'an installation afterwards, as docs/DEPLOYMENT.md shows it' again
check 'takes the keys that stayed' test "$(secret analytics-mcp-auth-keys seal.key)" = "$seal"
check 'every block of docs/DEPLOYMENT.md that is run here was' every_block_was_run cluster-a
echo '-- end'
