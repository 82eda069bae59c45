#!/usr/bin/env bash
# Fuzzes with libFuzzer: builds the targets by clang with AddressSanitizer and runs each for a while, from its kept
# corpus and from what earlier runs found (below ~/.cache/zrs/fuzz). Ends with one line for each target; exit code 0
# only when none found anything. What was found is kept, and named.
#
#   tests/fuzz/run.sh                            every target for a minute
#   tests/fuzz/run.sh --seconds 3600 tail        one of them for an hour
set -uo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"
exec </dev/null

targets=()
seconds=60
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:-} && shift ;;
    --seconds=*) seconds=${1#*=} ;;
    -*) die "unknown option $1; see the head of this file" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "--seconds is a number above 0"
all=("$ZRS_ROOT"/tests/fuzz/corpus/*/)
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(basename -a "${all[@]}")

install_packages build test
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zrs
# Another compiler in the same place would have everything built anew each time.
bazel=(bazel "--output_base=${ZRS_FUZZ_OUTPUT_BASE:-$cache/fuzz-build}" --max_idle_secs=60)
say "Building ${#targets[@]} fuzz targets by clang"
cd "$ZRS_ROOT" || die "cannot enter $ZRS_ROOT"
labels=("${targets[@]/#///tests/fuzz:}")
labels=("${labels[@]/%/_fuzzer}")
# The linker warns of each of the sanitizer's own functions.
"${bazel[@]}" build --config=fuzz --symlink_prefix=/ --ui_event_filters=-info --show_progress \
  --show_progress_rate_limit=10 "${labels[@]}" 2>&1 |
  grep -v 'ld.gold: warning' >&2
[ "${PIPESTATUS[0]}" -eq 0 ] || die "the fuzz targets could not be built; bazel build --config=fuzz tells why"
bin=$("${bazel[@]}" info --config=fuzz bazel-bin 2>/dev/null) || die "bazel info failed"

failed=0
for target in "${targets[@]}"; do
  mkdir -p "$cache/fuzz/$target" "$cache/fuzz/found"
  log=$cache/fuzz/$target.log
  "$bin/tests/fuzz/${target}_fuzzer" -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$cache/fuzz/found/$target-" "$cache/fuzz/$target" "$ZRS_ROOT/tests/fuzz/corpus/$target" \
    >"$log" 2>&1
  code=$?
  if [ "$code" -eq 0 ]; then
    say "$target: nothing found in $(awk '$2 == "DONE" { print substr($1, 2) }' "$log") inputs"
  else
    failed=1
    say "$target: FAILED with $code; its log is $log"
    grep -E 'Failure|Expected|Actual|Which|SUMMARY|Test unit written' "$log" | tail -8 >&2
  fi
done
exit "$failed"
