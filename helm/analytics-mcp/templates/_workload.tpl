{{/*
The Deployment of a service.
(dict "root" $ "component" "report-svc" "values" .Values.reportSvc "port" (dict "name" "grpc" "number" 50052)
      "env" LIST "volumes" LIST "mounts" LIST "init" LIST "waitSeconds" SECONDS)
waitSeconds: for so long the program may wait for a file before it serves.
*/}}
{{- define "amcp.workload" -}}
{{- $root := .root }}{{ $v := .values }}{{ $c := .component }}{{ $at := list $root $c }}{{ $shutdown := $root.Values.shutdown }}
{{- $tls := ne $root.Values.tls.mode "off" }}
{{/* Ports and probes rest on the first four. */}}
{{- $set := list "ANALYTICS_MCP_HOST" "ANALYTICS_MCP_PORT" "GRPC_LISTEN" "ADMIN_LISTEN" "GRPC_TLS_CERT" "GRPC_TLS_KEY" "GRPC_TLS_CA" "OTEL_EXPORTER_OTLP_HEADERS" }}
{{- range .env }}{{ $set = append $set .name }}{{ end }}
{{- $both := list }}{{ range $set }}{{ if hasKey $v.env . }}{{ $both = append $both . }}{{ end }}{{ end }}
{{- with $both }}{{ fail (printf "%s: env: %s: the chart sets this itself" $c (join ", " .)) }}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "amcp.name" $at }}
  labels: {{- include "amcp.labels" $at | nindent 4 }}
spec:
  {{- if not (dig "autoscaling" "enabled" false $v) }}
  replicas: {{ $v.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  {{- if or (dig "state" "enabled" false $v) (dig "audit" "enabled" false $v) }}
  strategy: {type: Recreate}
  {{- else }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  {{- end }}
  selector:
    matchLabels: {{- include "amcp.selector" $at | nindent 6 }}
  template:
    metadata:
      labels: {{- include "amcp.selector" $at | nindent 8 }}
      annotations:
        checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
        {{- toYaml (merge (dict) $v.podAnnotations (dict "prometheus.io/port" "9464")) | nindent 8 }}
    spec:
      serviceAccountName: {{ include "amcp.name" $at }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $shutdown.graceSeconds }}
      {{- with $v.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets: {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      securityContext: {{- include "amcp.podSecurity" $root | nindent 8 }}
      {{- if $root.Values.topologySpread.enabled }}
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - topologyKey: {{ . }}
          maxSkew: 1
          whenUnsatisfiable: {{ $root.Values.topologySpread.whenUnsatisfiable }}
          labelSelector: {matchLabels: { {{- include "amcp.selector" $at | replace "\n" ", " -}} }}
          matchLabelKeys: [pod-template-hash]
        {{- end }}
      {{- end }}
      {{- with $v.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .init }}
      initContainers: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $c }}
          image: {{ include "amcp.image" $at | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext: {{- include "amcp.containerSecurity" $root | nindent 12 }}
          ports:
            - {name: {{ .port.name }}, containerPort: {{ .port.number }}}
            - {name: metrics, containerPort: 9464}
          envFrom:
            - configMapRef: {name: {{ include "amcp.fullname" $root }}-config}
          env:
            {{- if $tls }}
            - {name: GRPC_TLS_CERT, value: /etc/analytics-mcp/tls/tls.crt}
            - {name: GRPC_TLS_KEY, value: /etc/analytics-mcp/tls/tls.key}
            - {name: GRPC_TLS_CA, value: /etc/analytics-mcp/tls/ca.crt}
            {{- end }}
            {{- with $root.Values.tracing.headersSecret }}
            - name: OTEL_EXPORTER_OTLP_HEADERS
              valueFrom: {secretKeyRef: {name: {{ . }}, key: headers}}
            {{- end }}
            {{- with .env }}{{ toYaml . | nindent 12 }}{{ end }}
            {{- range $name, $value := $v.env }}
            - {name: {{ $name }}, value: {{ include "amcp.text" $value | quote }}}
            {{- end }}
          # The program asks itself with its own certificate; then the small listener does.
          startupProbe:
            exec: {command: [/usr/bin/{{ $c }}, healthcheck]}
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: {{ add 60 (div (int (default 0 .waitSeconds)) 2) }}
          readinessProbe:
            httpGet: {path: /readyz, port: metrics}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe: # of the process alone, never of what it needs
            httpGet: {path: /livez, port: metrics}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          lifecycle:
            preStop: {sleep: {seconds: {{ $shutdown.preStopSeconds }}}}
          resources: {{- toYaml $v.resources | nindent 12 }}
          volumeMounts:
            {{- if $tls }}
            - {name: tls, mountPath: /etc/analytics-mcp/tls, readOnly: true}
            {{- end }}
            {{- with .mounts }}{{ toYaml . | nindent 12 }}{{ end }}
            {{- range $i, $secret := $v.secretFiles }}
            - {name: files-{{ $i }}, mountPath: /etc/analytics-mcp/files/{{ $secret }}, readOnly: true}
            {{- end }}
      volumes:
        {{- if $tls }}
        - name: tls
          secret: {secretName: {{ include "amcp.fullname" $root }}-{{ $c }}-tls, defaultMode: 0440}
        {{- end }}
        {{- with .volumes }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- range $i, $secret := $v.secretFiles }}
        - name: files-{{ $i }}
          secret: {secretName: {{ $secret }}, defaultMode: 0440}
        {{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "amcp.name" $at }}
  labels: {{- include "amcp.labels" $at | nindent 4 }}
  {{- with $v.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- if $v.pdb.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "amcp.name" $at }}
  labels: {{- include "amcp.labels" $at | nindent 4 }}
spec:
  maxUnavailable: {{ $v.pdb.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "amcp.selector" $at | nindent 6 }}
{{- end }}
{{- if dig "autoscaling" "enabled" false $v }}
{{- $a := $v.autoscaling }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "amcp.name" $at }}
  labels: {{- include "amcp.labels" $at | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "amcp.name" $at }}}
  minReplicas: {{ $a.minReplicas }}
  maxReplicas: {{ $a.maxReplicas }}
  metrics:
    {{- if eq (dig "metric" "cpu" $a) "inFlight" }}
    - type: Pods
      pods:
        metric: {name: rpc_server_in_flight}
        target: {type: AverageValue, averageValue: {{ $a.inFlight | int64 | quote }}}
    {{- else }}
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $a.cpu }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* A headless Service: a gRPC channel finds every pod behind the name, and spreads over them. */}}
{{- define "amcp.headless" -}}
{{- $at := list .root .component }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "amcp.name" $at }}
  labels: {{- include "amcp.labels" $at | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "amcp.selector" $at | nindent 4 }}
  ports:
    - {name: grpc, port: {{ .port }}, targetPort: grpc, appProtocol: grpc}
    - {name: metrics, port: 9464, targetPort: metrics}
{{- end }}
