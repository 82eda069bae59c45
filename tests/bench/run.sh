#!/usr/bin/env bash
# Builds an optimised zrs and runs the benchmarks: tests/bench/run.sh [--json] [--only copy|lag] ...
# See tests/bench/README.md.
set -euo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"

install_packages runtime build demo
venv=$(make_venv "$ZRS_ROOT/tests/requirements.txt") || die "could not make the virtual environment"
ZRS_BINARY=$(build_zrs) || die "the build failed"
export ZRS_BINARY
exec "$venv/bin/python" "$ZRS_ROOT/tests/bench/bench.py" "$@" </dev/null
