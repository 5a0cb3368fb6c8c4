# shellcheck shell=bash
# `run.sh compare BASE`: the services of this checkout beside those of another commit, in alternating
# rounds over the stub, so that a load of the machine meets both. Sourced by run.sh.

# build_base COMMIT: the four services of a commit, built as those of this checkout, in a worktree of its own below
# build-bench.
build_base() {
  local source=$dir/base-source
  git -C "$root" rev-parse --verify --quiet "$1^{commit}" >/dev/null || die "compare: no commit $1"
  if [[ -d $source ]]; then
    git -C "$source" checkout --quiet --detach "$1"
  else
    git -C "$root" worktree add --quiet --detach "$source" "$1"
  fi
  cmake -C "$root/cmake/shipped.cmake" -G Ninja -S "$source" -B "$dir/base" >/dev/null
  ninja -C "$dir/base" auth-svc report-svc aggregate-svc gateway | tail -n 1
}

# one_round SIDE BIN: adds lines "SIDE SCENARIO FIGURE VALUE" to $run/figures.
one_round() {
  local side=$1 line scenario
  up "$2" --stub --dealers 200 --latency-ms 0 >/dev/null
  mcp --tool run_report --arguments "$report_args}" --calls 200 >/dev/null
  for scenario in cached uncached fan_out; do
    case $scenario in
    cached) line=$(costs --tool run_report --arguments "$report_args}" --connections 64 --seconds "$seconds") ;;
    uncached) line=$(costs --tool run_report --arguments "$report_args,\"limit\":@N@}" --connections 8 --seconds "$seconds") ;;
    fan_out) line=$(costs --tool run_report_across_dealers --arguments "$across_args" --calls 10 --seconds 60) ;;
    esac
    local figure
    for figure in calls_per_s p50_ms cpu_us syscalls gateway_us report_us auth_us aggregate_us; do
      echo "$side $scenario $figure $(field "$line" $figure)" >>"$run/figures"
    done
  done
  down
}

# median SIDE SCENARIO FIGURE
median() {
  awk -v k="$1 $2 $3" '$1 " " $2 " " $3 == k && NF == 4 { print $4 }' "$run/figures" | sort -n |
    awk '{ v[NR] = $1 } END { if (NR > 0) print v[int((NR + 1) / 2)] }'
}

# compare BASE ROUNDS: prints medians and ratios; with $record, adds a line for each scenario to
# docs/internals/bench-history.md.
compare() {
  local base_commit head_commit round scenario figure a b
  build_base "$1"
  base_commit=$(git -C "$root" rev-parse --short "$1")
  head_commit=$(git -C "$root" rev-parse --short HEAD)
  git -C "$root" diff --quiet HEAD || head_commit+="+"
  for ((round = 1; round <= $2; round++)); do
    one_round base "$dir/base/bin"
    one_round head "$bin"
  done
  say "== $head_commit against $base_commit, medians of $2 alternating rounds (ratio: new / old)"
  for scenario in cached uncached fan_out; do
    local row="| $head_commit | $base_commit | $scenario |"
    for figure in calls_per_s p50_ms cpu_us syscalls gateway_us report_us auth_us aggregate_us; do
      a=$(median base $scenario $figure) b=$(median head $scenario $figure)
      local ratio
      ratio=$(awk -v a="${a:-0}" -v b="${b:-0}" 'BEGIN { if (a > 0) printf "%.2f", b / a; else printf "-" }')
      printf '  %-9s %-13s %12s -> %12s  ratio %s\n' "$scenario" "$figure" "${a:--}" "${b:--}" "$ratio"
      row+=" $ratio |"
    done
    if $record; then echo "$row" >>"$root/docs/internals/bench-history.md"; fi
  done
}
