# Every setting of every program is reachable from the chart: by a value of its own, or by the `env` of its
# service where docs/DEPLOYMENT.md says so, which also names those that the chart fixes. stage-a.sh sources this.
# shellcheck shell=bash disable=SC2154

declare -A env_value=([gateway]=gateway [auth-svc]=authSvc [report-svc]=reportSvc [aggregate-svc]=aggregateSvc)

settings_of() { # PROGRAM: the names in its table of docs/SETTINGS.md
  awk -v head="## $1" '/^## /{on = ($0 == head)} on' "$root/docs/SETTINGS.md" | sed -n 's/^| `\([A-Z0-9_]*\)`.*/\1/p' | sort -u
}
said_of() { # COLUMN: the names in the row of docs/DEPLOYMENT.md that begins with it
  grep -F "| $1 |" "$root/docs/DEPLOYMENT.md" | cut -d '|' -f 3- | grep -oE '`[A-Z][A-Z0-9_]+`' | tr -d '`' | sort -u
}

# What the chart can set, with each feature on: in two renderings, since a disk and a database exclude each other.
everything=(--set dealers.existingSecret=d,dealers.waitSeconds=5
  --set auth.jwt.issuer=i,auth.jwt.audience=https://a.example/mcp,auth.jwt.jwksUrl=https://i.example/keys,auth.jwt.publicKeys=k,auth.jwt.hs256Secret.existingSecret=h
  --set-file "auth.policies=$root/config/policies.example.json,auth.issuers=$root/config/issuers.example.json" --set redis.existingSecret=r,redis.caKey=c
  --set google.dataEndpoint=http://d,google.adminEndpoint=http://a
  --set connect.url=https://a.example/connect,connect.clientId=c,connect.existingSecret=s,connect.operator=o,connect.privacyUrl=https://a.example/p
  --set ingress.enabled=true,ingress.host=a.example
  --set gateway.resourceUrl=https://a.example/mcp,gateway.authServers=https://i.example,gateway.scopes=s,gateway.allowedHosts=h,gateway.allowedOrigins=https://o
  --set gateway.trustedProxies=10.0.0.0/8,gateway.forwardedHeader=Forwarded,gateway.toolsets=all,gateway.trustedSubject=t,gateway.status.enabled=true
  --set tracing.endpoint=http://c:4318,tracing.samplerArg=0.5,tracing.resourceAttributes=a=b,tracing.headersSecret=h)
with_disks=(--set authSvc.replicas=1,authSvc.state.enabled=true,authSvc.audit.enabled=true)
with_databases=(--set postgresql.existingSecret=p,aggregateSvc.state.enabled=false,connect.database.existingSecret=p)

part_of() { # TEMPLATE: what it made, in whole renderings on standard input
  awk -v head="/templates/$1.yaml" '/^# Source: /{on = substr($0, length($0) - length(head) + 1) == head} on'
}
chart_sets() { # PROGRAM: the names that values of their own set
  { part_of "$1" <"$work/settings.yaml"; part_of configmap <"$work/settings.yaml"; } |
    grep -oE '(name: |^  )[A-Z][A-Z0-9_]+' | sed 's/.* //' | sort -u
}

every_setting_is_reachable() {
  local program name refused bad=0 list=$work/settings
  {
    render "${everything[@]}" "${with_disks[@]}"
    render "${everything[@]}" "${with_databases[@]}"
    render "${demo[@]}"
  } >"$list.yaml"
  for program in "${!env_value[@]}"; do
    settings_of "$program" >"$list.all"
    chart_sets "$program" | comm -12 - "$list.all" >"$list.chart"
    { said_of "\`${env_value[$program]}.env\`"; said_of '`*.env`' | comm -12 - "$list.all"; } | sort -u >"$list.env"
    said_of 'fixed by the chart' | comm -12 - "$list.all" >"$list.fixed"
    (($(wc -l <"$list.all") > 30 && $(wc -l <"$list.chart") > 12 && $(wc -l <"$list.env") > 10)) || { echo "$program: too few settings"; bad=1; }
    for name in $(sort "$list.chart" "$list.env" "$list.fixed" | uniq -d); do echo "$program: $name is said to be set in two ways"; bad=1; done
    for name in $(sort -u "$list.chart" "$list.env" "$list.fixed" | comm -13 - "$list.all"); do echo "$program: $name cannot be set by the chart, or nothing says how"; bad=1; done
    for name in $(comm -23 "$list.env" "$list.all"); do echo "$program: no such setting: $name"; bad=1; done
    # And those arrive.
    sed "s/.*/${env_value[$program]}.env.&=arrives/" "$list.env" | paste -sd , >"$list.set"
    render "${live[@]}" --set "$(cat "$list.set")" -s "templates/$program.yaml" |
      sed -n 's/.*{name: \([A-Z0-9_]*\), value: "arrives"}.*/\1/p' | sort | diff "$list.env" - || { echo "$program: not all of its env arrive"; bad=1; }
    refused=$(render "${live[@]}" --set "$(sed "s/.*/${env_value[$program]}.env.&=x/" "$list.fixed" | paste -sd ,)" 2>&1 >/dev/null) && { echo "$program: env takes what the chart sets"; bad=1; }
    for name in $(cat "$list.fixed"); do
      grep -qw "$name" <<<"$refused" || { echo "$program: env.$name is accepted"; bad=1; }
    done
  done
  return "$bad"
}
