{{/* Names, labels and addresses. */}}
{{- define "amcp.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The gateway has the name itself: (list $ "report-svc") */}}
{{- define "amcp.name" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}
{{- if eq $component "gateway" }}{{ include "amcp.fullname" $root }}{{ else }}{{ include "amcp.fullname" $root }}-{{ $component }}{{ end }}
{{- end }}

{{- define "amcp.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "amcp.labels" -}}
{{- $root := index . 0 -}}
{{ include "amcp.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end }}

{{- define "amcp.image" -}}
{{- $root := index . 0 }}{{ $i := $root.Values.image -}}
{{ with $i.registry }}{{ . }}/{{ end }}{{ $i.repository }}-{{ index . 1 }}:{{ default $root.Chart.AppVersion $i.tag }}
{{- end }}

{{/* A value as a program reads it: Helm writes numbers of a file from a million on as 1e+06. */}}
{{- define "amcp.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Where a service is reached: (list $ "report-svc") */}}
{{- define "amcp.host" -}}
{{- $root := index . 0 -}}
{{ include "amcp.name" . }}.{{ $root.Release.Namespace }}.svc.{{ $root.Values.clusterDomain }}
{{- end }}

{{- define "amcp.dealersSecret" -}}
{{- if .Values.dealers.existingSecret }}{{ .Values.dealers.existingSecret }}{{ else }}{{ include "amcp.fullname" . }}-dealers{{ end }}
{{- end }}
{{- define "amcp.authKeysSecret" -}}
{{- if .Values.keys.existingSecret }}{{ .Values.keys.existingSecret }}{{ else }}{{ include "amcp.fullname" . }}-auth-keys{{ end }}
{{- end }}
{{- define "amcp.sessionKeySecret" -}}
{{- if .Values.keys.existingSessionSecret }}{{ .Values.keys.existingSessionSecret }}{{ else }}{{ include "amcp.fullname" . }}-session-key{{ end }}
{{- end }}

{{/*
Keys that several replicas share, a line each: the first seals, all open. Files of pods change at different times, so
a rotation puts a new key second, where it only opens; the next one lets it seal.
(dict "old" TEXT "rotate" BOOL "new" (list LINE LINE) "keep" NUMBER)
*/}}
{{- define "amcp.keyLines" -}}
{{- $lines := list }}
{{- with trimSuffix "\n" .old }}{{ $lines = splitList "\n" . }}{{ end }}
{{- if not $lines }}
{{- $lines = .new }}
{{- else if .rotate }}
{{- $next := index $lines (min 1 (sub (len $lines) 1)) }}
{{- $lines = concat (list $next (first .new)) (without $lines $next) }}
{{- end }}
{{- slice $lines 0 (min .keep (len $lines)) | join "\n" }}
{{- end }}

{{/* The DNS names of a service's certificate. The first is its identity. */}}
{{- define "amcp.dnsNames" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $name := include "amcp.name" . }}{{ $ns := $root.Release.Namespace -}}
{{- list $component (include "amcp.host" .) (printf "%s.%s.svc" $name $ns) (printf "%s.%s" $name $ns) $name | uniq | toJson }}
{{- end }}

{{/* A disk of one pod, kept after an uninstall: (dict "root" $ "component" C "name" N "values" V) */}}
{{- define "amcp.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "amcp.fullname" .root }}-{{ .name }}
  labels: {{- include "amcp.labels" (list .root .component) | nindent 4 }}
  annotations: {helm.sh/resource-policy: keep}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources: {requests: {storage: {{ .values.size }}}}
{{- end }}

{{/* Pod security: the namespace may enforce "restricted". */}}
{{- define "amcp.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "amcp.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What two values together forbid. */}}
{{- define "amcp.validate" -}}
{{- $v := .Values }}
{{- $dealers := 0 }}
{{- range list $v.dealers.existingSecret $v.dealers.content (ternary "x" "" $v.dealers.externalSecret.enabled) (ternary "x" "" $v.simulator.enabled) }}{{ if . }}{{ $dealers = add1 $dealers }}{{ end }}{{ end }}
{{- if ne (int $dealers) 1 }}{{ fail "dealers: set exactly one of dealers.existingSecret, dealers.externalSecret.enabled, dealers.content and simulator.enabled" }}{{ end }}
{{- with $v.dealers.externalSecret }}
{{- if and .enabled (not .secretStore.name) }}{{ fail "dealers.externalSecret.secretStore.name: must be set with dealers.externalSecret.enabled" }}{{ end }}
{{- if and .enabled (not .remoteKey) }}{{ fail "dealers.externalSecret.remoteKey: must be set with dealers.externalSecret.enabled" }}{{ end }}
{{- end }}
{{- range $name, $text := dict "dealers.content" $v.dealers.content "auth.policies" $v.auth.policies "auth.issuers" $v.auth.issuers }}
{{- if and $text (hasKey (fromJson $text) "Error") }}{{ fail (printf "%s: must be a JSON object: %s" $name (get (fromJson $text) "Error")) }}{{ end }}
{{- end }}
{{- range $name, $service := dict "gateway" $v.gateway "reportSvc" $v.reportSvc "aggregateSvc" $v.aggregateSvc }}
{{- with $service.autoscaling }}{{ if gt (int .minReplicas) (int .maxReplicas) }}{{ fail (printf "%s.autoscaling.maxReplicas: must be at least minReplicas (%d)" $name (int .minReplicas)) }}{{ end }}{{ end }}
{{- end }}
{{- if ne (empty $v.gateway.resourceUrl) (empty $v.gateway.authServers) }}{{ fail "gateway.resourceUrl, gateway.authServers: set both, or neither" }}{{ end }}
{{- if and $v.gateway.resourceUrl $v.auth.jwt.audience (ne $v.gateway.resourceUrl $v.auth.jwt.audience) }}{{ fail "auth.jwt.audience: must be empty or the same as gateway.resourceUrl, which clients get their tokens for" }}{{ end }}
{{- with $v.authSvc.audit }}
{{- if and .keepBytes (lt (int64 .keepBytes) (int64 .maxBytes)) }}{{ fail "authSvc.audit.keepBytes: must be 0 or at least authSvc.audit.maxBytes, the size of one file" }}{{ end }}
{{- if and (or .keepBytes .keepDays) (not .maxBytes) }}{{ fail "authSvc.audit.maxBytes: must not be 0 with keepBytes or keepDays: only full files are deleted" }}{{ end }}
{{- end }}
{{- if and $v.authSvc.state.enabled (gt (int $v.authSvc.replicas) 1) }}{{ fail "authSvc.replicas: must be 1 with authSvc.state.enabled: the state is of one process" }}{{ end }}
{{- if and $v.authSvc.audit.enabled (gt (int $v.authSvc.replicas) 1) }}{{ fail "authSvc.replicas: must be 1 with authSvc.audit.enabled: the audit log is of one process" }}{{ end }}
{{- $g := $v.aggregateSvc }}{{ $many := or (gt (int $g.replicas) 1) $g.autoscaling.enabled }}
{{- if and $g.state.enabled $v.postgresql.existingSecret }}{{ fail "aggregateSvc.state.enabled: must be false with postgresql.existingSecret, which keeps the same" }}{{ end }}
{{- if and $g.state.enabled $many }}{{ fail "aggregateSvc.replicas: must be 1, without autoscaling, with aggregateSvc.state.enabled: the disk is of one process; several need postgresql.existingSecret and aggregateSvc.state.enabled=false" }}{{ end }}
{{- if and $many (not $v.postgresql.existingSecret) (not $v.simulator.enabled) }}{{ fail "aggregateSvc.replicas: more than one need postgresql.existingSecret: figures that one releases of others bind all" }}{{ end }}
{{- if and (eq $v.tls.mode "certManager") (not $v.tls.certManager.issuer.name) }}{{ fail "tls.certManager.issuer.name: must be set with tls.mode certManager" }}{{ end }}
{{- if and $v.ingress.enabled (not $v.ingress.host) }}{{ fail "ingress.host: must be set with ingress.enabled" }}{{ end }}
{{- if and $v.workloadIdentity.enabled (not $v.workloadIdentity.audience) }}{{ fail "workloadIdentity.audience: must be set with workloadIdentity.enabled" }}{{ end }}
{{- if and (or $v.auth.jwt.jwksUrl $v.auth.jwt.publicKeys $v.auth.jwt.hs256Secret.existingSecret) (not $v.auth.jwt.issuer) }}{{ fail "auth.jwt.issuer: must be set with a key of bearer tokens" }}{{ end }}
{{- if and $v.auth.policies (eq $v.tls.mode "off") }}{{ if get (fromJson $v.auth.policies) "policies" }}{{ fail "auth.policies: rights by certificate need tls.mode other than off" }}{{ end }}{{ end }}
{{- $calls := int64 (default 10000 (get $v.gateway.env "ANALYTICS_MCP_GRACE_MS")) }}
{{- if ge (add (mul 1000 (int64 $v.shutdown.preStopSeconds)) (int64 $v.shutdown.drainMs) $calls) (mul 1000 (int64 $v.shutdown.graceSeconds)) }}{{ fail (printf "shutdown.graceSeconds: must be more than preStopSeconds + drainMs + %d ms for calls under way" $calls) }}{{ end }}
{{- end }}
