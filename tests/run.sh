#!/usr/bin/env bash
# Installs what is missing and runs every test: Bazel's, the end-to-end tests against a real ZODB and ZEO, and each fuzz
# target for some seconds (ZRS_FUZZ_SECONDS).
# Ends with one line `N passed, N failed` (`, N skipped` where it applies); exit code 0 only when nothing failed.
#
#   tests/run.sh [PYTEST ARGUMENT]...      for example: tests/run.sh -k pack --loop-seconds 60
set -uo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../deploy/lib.sh"
exec </dev/null

install_packages runtime build demo test
venv=$(make_venv "$ZRS_ROOT/tests/requirements.txt") || die "could not make the virtual environment"

work=$(mktemp -d "${TMPDIR:-/tmp}/zrs-tests.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

also_failed=0

# What is built for the tests is built once more by nobody: one configuration, the optimised one, serves both.
say "Bazel tests"
run_bazel test --keep_going --build_event_json_file="$work/events.json" //...
code=$?
# 3: a test failed, which the events say too.
if [ "$code" -ne 0 ] && [ "$code" -ne 3 ]; then
  say "bazel test ended with $code"
  also_failed=$((also_failed + 1))
fi

say "Building zrs"
if zrs=$(build_zrs); then
  export ZRS_BINARY=$zrs
else
  say "zrs could not be built: the end-to-end tests will say so"
  export ZRS_BINARY=$work/zrs-was-not-built
fi

say "Tests of the project's files, and end to end"
(cd "$ZRS_ROOT/tests" &&
  "$venv/bin/python" -m pytest -p no:cacheprovider --junitxml="$work/pytest.xml" "$@")
code=$?
# 1: a test failed, which the XML says too.
if [ "$code" -ne 0 ] && [ "$code" -ne 1 ]; then
  say "pytest ended with $code"
  also_failed=$((also_failed + 1))
fi

# Short: to see that the targets still run, from the corpus on. What the corpus itself finds is in Bazel's tests.
"$ZRS_ROOT/tests/fuzz/run.sh" --seconds "${ZRS_FUZZ_SECONDS:-4}" || also_failed=$((also_failed + 1))

"$ZRS_PYTHON" "$ZRS_ROOT/tests/count.py" --bazel-events "$work/events.json" --pytest "$work/pytest.xml" \
  --also-failed "$also_failed"
