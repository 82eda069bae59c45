"""The benchmarks, and what is required of them. Prints a table, or with --json the numbers.

    bench.py [--only SECTION[,SECTION]] [--long] [--json] [--size BYTES] [--rounds N] [--rate N] [--seconds N]

Sections: copy, tiny, lag, full-speed, slow-disk, writer, restart, idle, followers, huge (the last two with --long, or
when they are named).
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "e2e"), os.path.join(os.path.dirname(TESTS), "deploy", "demo")]

# pylint: disable=wrong-import-position
import first_copy  # noqa: E402
import footprint  # noqa: E402
import generate  # noqa: E402
import incumbent  # noqa: E402
import lag  # noqa: E402
import pressure  # noqa: E402
import table  # noqa: E402
from cache import cache_directory  # noqa: E402
from support import raw_file_storage  # noqa: E402
from support.lab import Lab  # noqa: E402
from support.sidecar import BINARY  # noqa: E402

# What the incumbent needs 20 s for is measured on less.
_INCUMBENT_SIZE = 100_000_000
_FOLLOWERS = 64


def source_file(size, seed=1, tiny=False):
    """A generated file, kept from run to run."""
    path = os.path.join(cache_directory(), f"bench-{'tiny-' if tiny else ''}{size}-{seed}-{generate.VERSION}.fs")
    if not os.path.exists(path):
        print(f"generating {path}", file=sys.stderr)
        generate.generate(path, size, seed, tiny)
    # Into the page cache: what is measured is the way, not the disk's reading.
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass
    return path


def in_lab(measure, *arguments):
    directory = tempfile.mkdtemp(prefix="zrs-bench-")
    lab = Lab(directory)
    try:
        return measure(lab, *arguments)
    finally:
        lab.close()
        shutil.rmtree(directory)


def with_incumbent(result, measure):
    """Adds what `measure` tells of zc.zrs, or why there is none."""
    python, why = incumbent.environment()
    result["incumbent"] = in_lab(measure, python) if python else None
    if not python:
        result["incumbentSkipped"] = why
    return result


def measure_copy(options):
    result = in_lab(first_copy.measure, source_file(options.size), options.rounds)
    small = source_file(_INCUMBENT_SIZE)
    last_tid = raw_file_storage.transactions(small)[-1][1]

    def theirs(lab, python):
        return os.path.getsize(small) / incumbent.first_copy(lab, python, small, last_tid) / 1e6

    return with_incumbent(result, theirs)


def measure_lag(options):
    result = in_lab(lag.measure, options.rate, options.seconds)
    return with_incumbent(result, lambda lab, python: incumbent.lag(lab, python, options.rate, options.seconds))


SECTIONS = {
    "copy": measure_copy,
    "tiny": lambda options: in_lab(first_copy.measure, source_file(options.size // 2, tiny=True), options.rounds),
    "lag": measure_lag,
    "full-speed": lambda options: in_lab(pressure.full_speed, options.seconds / 2),
    "slow-disk": lambda options: in_lab(pressure.slow_disk, options.seconds / 4),
    "writer": lambda options: in_lab(pressure.writer_cost, options.seconds / 10, 10),
    "restart": lambda options: in_lab(footprint.restart, source_file(options.size)),
    "idle": lambda options: in_lab(footprint.idle, 20),
    "followers": lambda options: in_lab(footprint.followers, _FOLLOWERS, source_file(_INCUMBENT_SIZE)),
    "huge": lambda options: in_lab(footprint.huge_transaction, 3 << 30),
}
_LONG = ("followers", "huge")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--size", type=int, default=1_000_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else [
        name for name in SECTIONS if options.long or name not in _LONG]
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    print(f"binary: {BINARY}", file=sys.stderr)
    results, failed = {}, False
    for name in chosen:
        print(f"measuring: {name}", file=sys.stderr)
        try:
            results[name] = SECTIONS[name](options)
        except Exception:  # pylint: disable=broad-except
            # The others' numbers are not lost for it.
            failed = True
            traceback.print_exc()
    results["load"] = os.getloadavg()
    print(json.dumps(results, indent=2) if options.json else table.render(results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
