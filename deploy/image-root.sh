#!/usr/bin/env bash
# Makes the root folder of an image FROM scratch: programs, the shared libraries they need, and what
# a container must have, with the package data and the copyright of everything in it.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/image-root.sh --out DIR [--arch ARCH] [--ca] [--zones]
                            [--archives FILE] [--license FILE] [--name NAME]... PROGRAM...

Fills DIR, which must not exist. PROGRAMs go to /usr/bin, stripped.

  --arch ARCH      of the programs: amd64 or arm64 (default: this machine's)
  --ca             also the certificate authorities of Debian
  --zones          also the time zones
  --archives FILE  the static libraries that were linked into the programs, a path a line: their
                   packages are named as well
  --name NAME      also /usr/bin/NAME, a link to the first PROGRAM
  --license FILE   of the programs, put to /usr/share/doc/analytics-mcp/copyright

Libraries are found by what the files themselves say they need, so nothing is run and another
architecture's work as well. The date of all files is SOURCE_DATE_EPOCH (default 0).
TEXT
}

die() {
  echo "image-root: $*" >&2
  exit 1
}

arch='' out='' ca=false zones=false license='' archives='' names=() programs=()
while (($# > 0)); do
  case $1 in
  --arch) arch=${2:?--arch needs a value}; shift ;;
  --out) out=${2:?--out needs a folder}; shift ;;
  --ca) ca=true ;;
  --zones) zones=true ;;
  --archives) archives=${2:?--archives needs a file}; shift ;;
  --name) names+=("${2:?--name needs a name}"); shift ;;
  --license) license=${2:?--license needs a file}; shift ;;
  --help | -h) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
  *) programs+=("$1") ;;
  esac
  shift
done
[[ -n $out && ${#programs[@]} -gt 0 ]] || { usage >&2; exit 2; }
[[ ! -e $out ]] || die "$out exists already"
arch=${arch:-$(dpkg --print-architecture)}
case $arch in
amd64) triplet=x86_64-linux-gnu loader=/lib64/ld-linux-x86-64.so.2 ;;
arm64) triplet=aarch64-linux-gnu loader=/lib/ld-linux-aarch64.so.1 ;;
*) die "--arch $arch: must be amd64 or arm64" ;;
esac
folders=("/usr/lib/$triplet" "/lib/$triplet")
strip=$(command -v "$triplet-strip" || command -v strip) || die 'binutils is missing'

# As on a merged-/usr Debian.
install -d -m 755 "$out" "$out"/{app,etc,usr/bin,usr/lib,usr/share/doc,var/lib/dpkg/status.d}
ln -s usr/lib "$out/lib"
ln -s usr/bin "$out/bin"
[[ $arch != amd64 ]] || { install -d -m 755 "$out/usr/lib64" && ln -s usr/lib64 "$out/lib64"; }

declare -A packages=() seen=()

# package_of FILE: Debian knows a file by the name it had before /usr was merged, or after.
package_of() {
  local file=$1 found
  found=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null || dpkg -S "/usr$file" 2>/dev/null) || return 1
  found=${found%%$'\n'*}
  found=${found%%: *}
  echo "${found%%, *}"
}

# take FILE: into the image at the path it has here, without links on the way, and its package noted
take() {
  local real name
  real=$(realpath "$1")
  name=$(package_of "$real") || die "$real belongs to no package"
  packages[$name]=1
  install -D -m 644 "$real" "$out$real"
  # The name that programs ask for.
  [[ ${1##*/} == "${real##*/}" ]] || ln -sf "${real##*/}" "$out$(dirname "$real")/${1##*/}"
}

find_library() {
  local folder
  for folder in "${folders[@]}"; do
    if [[ -e $folder/$1 ]]; then
      echo "$folder/$1"
      return
    fi
  done
  return 1
}

# need FILE: takes every library it names, and theirs
need() {
  local names name path
  names=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  for name in $names; do
    [[ -z ${seen[$name]:-} && $name != ld-linux* ]] || continue
    seen[$name]=1
    path=$(find_library "$name") || die "$1 needs $name, which is not installed for $arch"
    take "$path"
    need "$path"
  done
}

for program in "${programs[@]}"; do
  install -m 755 "$program" "$out/usr/bin/${program##*/}"
  "$strip" --strip-unneeded "$out/usr/bin/${program##*/}"
  need "$program"
done
for name in "${names[@]}"; do ln -s "${programs[0]##*/}" "$out/usr/bin/$name"; done
if [[ -n $archives ]]; then
  while read -r path; do
    name=$(package_of "$(realpath "$path")") || die "$path belongs to no package"
    packages[$name]=1
  done <"$archives"
fi
real=$(realpath "$(find_library "${loader##*/}")")
packages[$(package_of "$real")]=1
install -D -m 755 "$real" "$out$loader"

printf 'root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/app:/nonexistent\n' >"$out/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$out/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$out/etc/nsswitch.conf"
take /etc/debian_version
# Scanners look here to know whose packages these are.
install -m 644 "$(realpath /etc/os-release)" "$out/usr/lib/os-release"
ln -s ../usr/lib/os-release "$out/etc/os-release"
chmod 644 "$out"/etc/*

if $ca; then
  packages[ca-certificates]=1
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/ca-certificates.crt"
fi
if $zones; then
  packages[tzdata]=1
  install -d -m 755 "$out/usr/share"
  cp -a /usr/share/zoneinfo "$out/usr/share/"
  # The same zones with other rules of leap seconds and dates; and what only people read.
  rm -rf "$out"/usr/share/zoneinfo/{right,posix,posixrules,localtime,tzdata.zi,leapseconds,leap-seconds.list,*.tab}
fi

# Packages of one source often have the same copyright: the text is there once.
declare -A texts=()
for name in $(printf '%s\n' "${!packages[@]}" | sort); do
  plain=${name%%:*}
  dpkg-query -s "$name" >"$out/var/lib/dpkg/status.d/$plain"
  mkdir -p "$out/usr/share/doc/$plain"
  sum=$(sha256sum <"/usr/share/doc/$plain/copyright")
  if [[ -n ${texts[$sum]:-} ]]; then
    ln -s "../${texts[$sum]}/copyright" "$out/usr/share/doc/$plain/copyright"
  else
    texts[$sum]=$plain
    cp -L "/usr/share/doc/$plain/copyright" "$out/usr/share/doc/$plain/copyright"
  fi
done
if [[ -n $license ]]; then
  install -D -m 644 "$license" "$out/usr/share/doc/analytics-mcp/copyright"
fi
find "$out" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
