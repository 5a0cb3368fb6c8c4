# The part of run.sh that builds and runs the tests of one room. Each line of build-test's
# tests/rooms.txt is a test: TEST|ROOM|TARGETS|PROGRAM|SOURCES.

build=$root/build-test
table=$build/tests/rooms.txt

list_rooms() {
  configure test
  # with the rooms that hold rooms
  cut -d '|' -f 2 "$table" | awk '{ print; while (sub("/[^/]*$", "")) print }' | sort -u
}

# "auth-svc/token", "tests/unit/auth/token/" -> "auth/token"
room_name() {
  local room=${1%/}
  room=${room#tests/} room=${room#unit/} room=${room#common/}
  room=${room/#ga4-sim/sim}
  sed -E 's/^(auth|report|aggregate)-svc/\1/' <<<"$room"
}

# The lines of a room, of a file of end-to-end tests, or of a test by name.
lines_of() {
  awk -F '|' -v room="$1" -v file="$(sed 's,/,_,g' <<<"$1")" \
    '$2 == room || index($2, room "/") == 1 || $1 == room || $1 == file' "$table"
}

# show COMMAND...: prints a command as it can be pasted, and runs it.
show() {
  local word line='$'
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=,+-]+$ ]] && line+=" $word" || line+=" '$word'"
  done
  echo "$line"
  "$@"
}

# What a program is made of: one that is linked again from the same objects is the same.
content() { sha256sum <"$1"; }

# A unit test is due when it has not passed since its program, a program that it starts, or a file
# that it may read (beside its sources, or an example) changed. Other tests always are. A stamp is as old
# as the run that was passed, and holds the content of the program.
due() {
  local test=$1 program=$2 sources=$3 stamp=$build/passed/$1 file
  [[ -n $program && -f $stamp ]] && ! $again || return 0
  [[ ! $program -nt $stamp || $(content "$program") == "$(<"$stamp")" ]] || return 0
  for file in "$build"/bin/*; do
    if [[ $file -nt $stamp ]] && grep -qaF "$file" "$program"; then return 0; fi
  done
  for file in $(dirname $sources | sort -u) "$root/config"; do
    [[ -z $(find "$file" -newer "$stamp" -type f ! -name '*.[ch]' -print -quit) ]] || return 0
  done
  return 1
}

# All tests of the lines read: builds, and runs those that are due.
run_tests() {
  local lines=$1 names=() targets=() due_names=() test needs program sources status=0
  while IFS='|' read -r test _ needs program sources; do
    names+=("$test")
    for need in $needs; do targets+=("$need"); done
  done <<<"$lines"
  if ((${#targets[@]} > 0)); then build_targets "${targets[@]}"; fi
  while IFS='|' read -r test _ needs program sources; do
    if due "$test" "$program" "$sources"; then due_names+=("$test"); fi
  done <<<"$lines"
  if ((${#due_names[@]} < ${#names[@]})); then
    echo "$((${#names[@]} - ${#due_names[@]})) of ${#names[@]} tests passed before and nothing of theirs changed (--again runs them)"
  fi
  ((${#due_names[@]} > 0)) || return 0
  run_ctest_room "${due_names[@]}"
}

# The room's target when there is one, else the targets themselves.
build_targets() {
  local target=room-${room//\//-}
  if ninja -C "$build" -t query "$target" >/dev/null 2>&1; then set -- "$target"; fi
  show ninja --quiet -C "$build" "$@"
}

stamp() {
  local program
  program=$(awk -F '|' -v test="$1" '$1 == test { print $4 }' "$table")
  if [[ -n $program ]]; then content "$program"; fi >"$build/passed/$1"
  touch -r "$build/passed/.began" "$build/passed/$1"
}

run_ctest_room() {
  local status=0 choice=("-L" "^room:$room\$") test failed=$build/Testing/Temporary/LastTestsFailed.log
  if (($# < $(wc -l <<<"$lines"))) || ! grep -q "|$room[|/]" "$table" ; then
    choice=(-R "^($(IFS='|'; echo "$*"))\$")
  fi
  rm -f "$failed"
  mkdir -p "$build/passed"
  date >"$build/passed/.began"
  # Most of a test's time is waiting.
  show ctest --test-dir "$build" "${choice[@]}" --output-on-failure --no-tests=error \
    -j $((3 * jobs)) | grep -vE '^(Internal ctest|Test project| +Start |Label Time)|sec\*proc|^$' || status=$?
  for test in "$@"; do
    if grep -qs ":$test\$" "$failed"; then rm -f "$build/passed/$test"; else stamp "$test"; fi
  done
  if ((status != 0)); then explain_failures "$failed"; fi
  return "$status"
}

# How to run what failed alone, as the last lines.
explain_failures() {
  local test
  [[ -f $1 ]] || return 0
  while IFS=: read -r _ test; do
    echo "FAILED $test: tests/run.sh ${test}"
  done <"$1"
}

# One case: the test whose source names it.
run_case() {
  local lines=$1 name=$2 test needs program sources found=
  while IFS='|' read -r test _ needs program sources; do
    [[ -n $sources ]] && grep -qE "TEST\([[:space:]]*$name[[:space:]]*\)" $sources && found=$test && break
  done <<<"$lines"
  if [[ -n $found && -n $program ]]; then
    show ninja --quiet -C "$build" $needs
    show "$program" "$name"
  elif grep -q '|e2e/' <<<"$lines"; then
    build_targets $(cut -d '|' -f 3 <<<"$lines" | tr ' ' '\n' | sort -u)
    NODE_OPTIONS="--test-name-pattern=$(printf %q "$name")" show ctest --test-dir "$build" \
      -R "^($(cut -d '|' -f 1 <<<"$lines" | paste -sd '|'))\$" --output-on-failure -j "$jobs"
  else
    die "no case of the room \"$room\" is named \"$name\""
  fi
}

run_room() {
  local room lines
  room=$(room_name "$1")
  if $install; then "$root/deploy/install-deps.sh" --tests; fi
  [[ $room != e2e* ]] || clients
  configure test
  lines=$(lines_of "$room")
  [[ -n $lines ]] || die "there is no room or test \"$1\"; --rooms lists the rooms"
  if (($# == 2)); then run_case "$lines" "$2"; else run_tests "$lines"; fi
}
