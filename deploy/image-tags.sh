#!/usr/bin/env bash
# The tags of an image in a registry, as outputs of a workflow step.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/image-tags.sh IMAGE COMMIT [VERSION]

Prints "version=..." and "tags=IMAGE:latest,IMAGE:COMMIT[,IMAGE:VERSION]". A VERSION must be like
0.2.0 or 0.2.0-rc.1.
TEXT
}

case ${1:-} in --help | -h) usage; exit 0 ;; esac
(($# == 2 || $# == 3)) || { usage >&2; exit 2; }
image=$1 commit=$2 version=${3:-}
[[ $commit =~ ^[0-9a-f]{7,64}$ ]] || { echo "image-tags: \"$commit\" is not a commit" >&2; exit 2; }
tags=$image:latest,$image:$commit
if [[ -n $version ]]; then
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || {
    echo "image-tags: \"$version\" is not a version; expected one like 0.2.0" >&2
    exit 2
  }
  tags+=,$image:$version
fi
printf 'version=%s\ntags=%s\n' "${version:-$commit}" "$tags"
