#!/usr/bin/env bash
# Builds an optimised zrs and runs the benchmarks: tests/bench/run.sh [--only SECTION[,SECTION]] [--long] [--json] ...
# See tests/bench/README.md.
set -euo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"

install_packages runtime build demo bench
venv=$(make_venv "$ZRS_ROOT/tests/requirements.txt") || die "could not make the virtual environment"
ZRS_BINARY=$(build_zrs) || die "the build failed"
export ZRS_BINARY
if [ -z "${ZRS_WAIT_PROBE:-}" ]; then
  run_bazel build //tests/bench:wait_probe >&2 || die "the build failed"
  ZRS_WAIT_PROBE=$(bazel_bin)/tests/bench/wait_probe
fi
export ZRS_WAIT_PROBE
exec "$venv/bin/python" "$ZRS_ROOT/tests/bench/bench.py" "$@" </dev/null
