"""Counts test cases in JUnit XML files, and prints the one line that ends a test run.

    count.py [--bazel-events FILE]... [--pytest FILE]... [--also-failed NUMBER]

FILE of Bazel is what --build_event_json_file wrote: it names the targets that were tested and each one's test.xml. A
target that was not built, and a test that ended badly without a failed case, count as one failure; so does each of the
steps that failed without a test case (--also-failed). Exit code 0 only when something ran and nothing failed.
"""

import argparse
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


class Counts:
    """Passed, failed, skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def line(self):
        end = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{end}"

    def good(self):
        return self.failed == 0 and self.passed > 0


def count_xml(path):
    """Cases of one JUnit XML file; a file that cannot be read is a failure."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        print(f"count.py: {path}: {error}", file=sys.stderr)
        return Counts(failed=1)
    counts = Counts()
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def count_test_result(result):
    """Cases of one run of a Bazel test target (or of one of its shards)."""
    passed = result.get("status") == "PASSED"
    outputs = [output for output in result.get("testActionOutput", []) if output.get("name") == "test.xml"]
    counts = Counts()
    for output in outputs:
        counts += count_xml(urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path))
    if passed and not outputs:
        counts.passed += 1
    if not passed and counts.failed == 0:
        counts.failed += 1
    return counts


def count_bazel(path):
    """Cases of every target that a Bazel test run was to test, and a failure for each that could not be built."""
    counts, unbuilt, results = Counts(), set(), {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            name = event["id"]
            if "testResult" in event:
                # A target that is tried again counts as its last attempt.
                key = tuple(name["testResult"].get(part) for part in ("label", "run", "shard"))
                results[key] = event["testResult"]
            elif "targetCompleted" in name and not event.get("completed", {}).get("success"):
                unbuilt.add(name["targetCompleted"]["label"])
    for result in results.values():
        counts += count_test_result(result)
    for label in unbuilt - {key[0] for key in results}:
        print(f"count.py: {label} was not built", file=sys.stderr)
        counts.failed += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bazel-events", action="append", default=[])
    parser.add_argument("--pytest", action="append", default=[])
    parser.add_argument("--also-failed", type=int, default=0, help="steps that failed without a test case")
    arguments = parser.parse_args()
    counts = Counts(failed=arguments.also_failed)
    for path in arguments.bazel_events:
        counts += count_bazel(path)
    for path in arguments.pytest:
        counts += count_xml(path)
    print(counts.line())
    return 0 if counts.good() else 1


if __name__ == "__main__":
    sys.exit(main())
