"""The benchmarks: first copy and lag. Prints a table, or with --json the numbers.

    bench.py [--size BYTES] [--rounds N] [--rate COMMITS_PER_SECOND] [--seconds N] [--only copy|lag] [--json]
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "e2e"), os.path.join(os.path.dirname(TESTS), "deploy", "demo")]

# pylint: disable=wrong-import-position
import first_copy  # noqa: E402
import generate  # noqa: E402
import lag  # noqa: E402
from support.lab import Lab  # noqa: E402
from support.sidecar import BINARY  # noqa: E402


def source_file(size, seed=1):
    """A generated file, kept from run to run."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "zrs")
    os.makedirs(cache, exist_ok=True)
    path = os.path.join(cache, f"bench-{size}-{seed}-{generate.VERSION}.fs")
    if not os.path.exists(path):
        print(f"generating {path}", file=sys.stderr)
        generate.generate(path, size, seed)
    return path


def warm(path):
    """Into the page cache: what is measured is the way, not the disk's reading."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def in_lab(measure, *arguments):
    directory = tempfile.mkdtemp(prefix="zrs-bench-")
    lab = Lab(directory)
    try:
        return measure(lab, *arguments)
    finally:
        lab.close()
        shutil.rmtree(directory)


def print_copy(result):
    print(f"First copy of {result['bytes'] / 1e6:,.0f} MB (median of {result['rounds']})")
    print(f"  {'plain TCP, sendfile and one fsync':40} {result['plainTcpSeconds']:8.2f} s "
          f"{result['plainTcpMegabytesPerSecond']:8.0f} MB/s")
    print(f"  {'zrs, from the process start to durable':40} {result['copySeconds']:8.2f} s "
          f"{result['copyMegabytesPerSecond']:8.0f} MB/s")
    print(f"  {'ratio':40} {result['ratioToPlainTcp']:8.2f}")
    print(f"  {'primary looks at the file first':40} {result['firstLookSeconds']:8.2f} s")
    for who in ("secondary", "primaryAllRounds"):
        usage = result[who]
        print(f"  {who + ': processor, peak memory':40} {usage['cpuSeconds']:8.2f} s "
              f"{usage['peakMemory'] / 1e6:8.0f} MB")


def print_lag(result):
    print(f"Lag behind commits at {result['commitsPerSecond']:g}/s, {result['commits']} commits, in ms")
    print(f"  {'':40} {'p50':>8} {'p99':>8} {'max':>8}")
    for key, name in (("visibleMilliseconds", "visible in the secondary's file"),
                      ("durableMilliseconds", "durable there, as zrs wait tells"),
                      ("adminRoundTripMilliseconds", "(of which a call's round trip)")):
        values = result[key]
        print(f"  {name:40} {values['p50']:8.2f} {values['p99']:8.2f} {values['max']:8.2f}")
    print(f"  looked at the file every {result['lookIntervalMilliseconds']:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", choices=["copy", "lag"])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(f"binary: {BINARY}", file=sys.stderr)
    results = {}
    if arguments.only != "lag":
        path = source_file(arguments.size)
        warm(path)
        results["firstCopy"] = in_lab(first_copy.measure, path, arguments.rounds)
    if arguments.only != "copy":
        results["lag"] = in_lab(lag.measure, arguments.rate, arguments.seconds)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return 0
    if "firstCopy" in results:
        print_copy(results["firstCopy"])
    if "lag" in results:
        print_lag(results["lag"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
