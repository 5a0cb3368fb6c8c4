#!/bin/sh
# Each program links only the libraries it uses: linked.sh BIN_DIR
#
# Checked twice: no direct dependency of a program is without a symbol it takes from there (ldd -u),
# and those that come with much behind them are linked only where the table below has them. What a
# program does not link is not in its image, nor in its updates.
set -u
bin=$1
bad=0
fail() { echo "$*"; bad=1; }

# LIBRARY: PROGRAM...
table='
libcurl: auth-svc report-svc aggregate-svc gateway
libsqlite3: aggregate-svc ga4-sim
libpq: auth-svc aggregate-svc
libhiredis: report-svc
libgnutls: gateway
libgrpc: auth-svc report-svc aggregate-svc gateway
libprotobuf-c: auth-svc report-svc aggregate-svc gateway
'

needed() { # the libraries that PROGRAM names, without versions
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\([^]]*\)\.so.*/\1/p'
}

for program in auth-svc report-svc aggregate-svc gateway ga4-sim; do
  [ -x "$bin/$program" ] || { fail "$program is not built in $bin"; continue; }
  [ -n "$(needed "$bin/$program")" ] || fail "$program: readelf names no library"
  unused=$(ldd -u "$bin/$program" 2>&1 | sed -n 's/^[[:space:]]*\(\/.*\)/\1/p')
  [ -z "$unused" ] || fail "$program links what it does not use: $unused"
  for library in $(needed "$bin/$program"); do
    row=$(echo "$table" | grep "^$library:") || continue
    case " ${row#*:} " in
    *" $program "*) ;;
    *) fail "$program links $library, which is for:${row#*:}" ;;
    esac
  done
done
[ "$bad" = 0 ] && echo "each program links only what it uses"
exit $bad
