# Stage A: the chart against a real API server; kwok plays the nodes. run.sh starts it.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
demo=(-f "$chart/values-demo.yaml" --set image.tag=test)

# --------------------------------------------------------------------------------- without a cluster
render() { helm template analytics-mcp "$chart" --kube-version 1.34.0 "$@"; }
check 'helm lint, defaults' helm lint --strict "$chart" --set dealers.existingSecret=dealers
check 'helm lint, demo' helm lint --strict "$chart" -f "$chart/values-demo.yaml"
check 'helm lint, eks' helm lint --strict "$chart" -f "$chart/values-eks.yaml"
wrong=(
  'gateway.replica=3' 'replicas=3' 'gateway.replicas=0' 'logLevel=LOUD' 'tls.mode=on' 'image.pullPolicy=Sometimes'
  'gateway.service.port=70000' 'auth.jwt.jwksUrl=http://plain.example' 'reportSvc.autoscaling.metric=memory'
  'shutdown.preStopSeconds=0' 'reportSvc.env.lower=1' 'networkPolicy.enabled=maybe'
  'aggregateSvc.autoscaling.metric=memory' 'reportSvc.benchmark.places=11' 'dealers.waitSeconds=-1'
  'gateway.toolsets=everything' 'auth.accountTokens=maybe' 'tracing.sampler=sometimes' 'tracing.endpoint=collector:4318' 'monitoring.dashboard.enable=true'
)
refused() { # SETTING: the schema's message, not some other fault
  local output
  ! output=$(render "${demo[@]}" --set "$1" 2>&1 >/dev/null) || { echo "accepted $1"; return 1; }
  grep -q "values don't meet the specifications of the schema" <<<"$output" || { echo "$output"; return 1; }
}
for setting in "${wrong[@]}"; do check "the schema refuses $setting" refused "$setting"; done
refute 'without dealers nothing is rendered' render
refute 'two sources of dealers are refused' render "${demo[@]}" --set dealers.existingSecret=x
refute 'a grace period shorter than what it holds is refused' render "${demo[@]}" --set shutdown.graceSeconds=15
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
live=(--set dealers.existingSecret=dealers)
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
# Each setting below arrives at its program under the name that docs/SETTINGS.md gives it.
settings_arrive() {
  local line name value file bad=0
  while read -r file name value setting; do
    grep -q "^| \`$name\`" "$root/docs/SETTINGS.md" || { echo "no setting $name"; bad=1; }
    render "${live[@]}" -s "templates/$file.yaml" --set "$setting" |
      tr -d '"' | grep -A 1 -E "^ *(- name: )?$name(: |$)" | grep -qE "(value: |$name: )$value\$" || { echo "$setting does not set $name"; bad=1; }
  done <<'TABLE'
configmap AMCP_DRAIN_MS 7000 shutdown.drainMs=7000
gateway ANALYTICS_MCP_TOOLSETS all gateway.toolsets=all
gateway ANALYTICS_MCP_TRUSTED_SUBJECT librechat gateway.trustedSubject=librechat
auth-svc AUTH_ACCOUNT_TOKENS off auth.accountTokens=off
configmap AUTH_SVC_IDENTITY spiffe://a/b tls.identities.authSvc=spiffe://a/b
configmap REPORT_SVC_IDENTITY r tls.identities.reportSvc=r
configmap AGGREGATE_SVC_IDENTITY g tls.identities.aggregateSvc=g
auth-svc GA_CREDENTIALS_WAIT_S 60 dealers.waitSeconds=60
auth-svc AUTH_JWT_MAX_LIFE_S 3600 auth.jwt.maxLifeSeconds=3600
auth-svc AUTH_ISSUERS_FILE /etc/analytics-mcp/access/issuers.json auth.issuers=x
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
  return "$bad"
}
check 'settings of the chart arrive at the programs' settings_arrive
# shellcheck source=tests/cluster/settings.sh
source "$root/tests/cluster/settings.sh"
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

# ------------------------------------------------------------------------------------- API server
began=$SECONDS
if ! "$cluster" up fake 4 >"$work/up.log" 2>&1; then
  bad 'the cluster comes up'
  tail -n 5 "$work/up.log"
  echo '-- end'
  exit 0
fi
ok "the cluster is up ($((SECONDS - began)) s)"
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

# Objects of other operators, by their real types.
began=$SECONDS
check 'resource types of cert-manager, prometheus-operator, External Secrets' "$cluster" crds
say "resource types took $((SECONDS - began)) s"
server_takes() { helm template analytics-mcp "$chart" -n "$ns" --kube-version 1.34.0 "$@" | kubectl -n "$ns" apply --dry-run=server --validate=strict -f -; }
check 'values-eks.yaml: the API server takes every object' server_takes -f "$chart/values-eks.yaml"
issuer_of_page() { run_block cluster-a/issuer "$root" >"$work/issuer" && grep -c created "$work/issuer" | grep -qx 3; }
check 'and the issuer of docs/DEPLOYMENT.md' issuer_of_page
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
  'auth.jwt.publicKeys=PEM,auth.jwt.issuer=https://i,auth.policies=policies,auth.issuers=issuers,redis.existingSecret=r,postgresql.existingSecret=p' \
  --set authSvc.state.enabled=true,workloadIdentity.enabled=true,workloadIdentity.audience=a

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

# Autoscaling on our own metric.
echo '{"rpc_server_in_flight": 4}' >"$work/metrics.json"
check 'custom metrics are served' "$cluster" custom-metrics "$work/metrics.json"
check 'report-svc scales on calls in flight' install_ --set reportSvc.autoscaling.enabled=true,reportSvc.autoscaling.metric=inFlight,reportSvc.autoscaling.inFlight=16,reportSvc.autoscaling.maxReplicas=6
replicas_are() { [[ $(k get deployment analytics-mcp-report-svc -o 'jsonpath={.spec.replicas}') == "$1" ]]; }
echo '{"rpc_server_in_flight": 60}' >"$work/metrics.json"
began=$SECONDS
check 'up to 6 under load' within 60 replicas_are 6
echo '{"rpc_server_in_flight": 2}' >"$work/metrics.json"
check 'and down to 2 after it' within 90 replicas_are 2
say "up and down took $((SECONDS - began)) s"
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
