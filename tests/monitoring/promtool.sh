#!/usr/bin/env bash
# Prometheus' own tool checks the alerts of the chart, and what they say of written series. promtool is
# the one of PATH, or else Debian's, which is unpacked into AMCP_CACHE: fetched in CI, and once it is
# there taken everywhere. Without it: exit code 77, skipped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rules=$here/../../helm/analytics-mcp/files/alerts.yaml
cache=${AMCP_CACHE:-$HOME/.cache/analytics-mcp}/prometheus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() {
  (cd "$work" && apt-get download -q prometheus >/dev/null 2>&1) || return 1
  mkdir -p "${cache%/*}"
  dpkg -x "$work"/prometheus_*.deb "$work/prometheus" && mv -T "$work/prometheus" "$cache"
}

promtool=$(command -v promtool || echo "$cache/usr/bin/promtool")
if [[ ! -x $promtool ]] && { [[ ${CI:-} != true ]] || ! fetch; }; then
  echo "skipped: no promtool; CI=true fetches Debian's (apt-get download prometheus)"
  exit 77
fi
cp "$here/alerts_test.yaml" "$rules" "$work"
"$promtool" check rules "$work/alerts.yaml"
"$promtool" test rules "$work/alerts_test.yaml"

# The test can fail: a bound that nothing reaches is noticed.
sed 's/> 20$/> 2000/' "$rules" >"$work/alerts.yaml"
if "$promtool" test rules "$work/alerts_test.yaml" >/dev/null 2>&1; then
  echo 'promtool does not notice that an alert never fires'
  exit 1
fi
