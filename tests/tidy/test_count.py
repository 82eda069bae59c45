"""The counter of test cases: a failure that it missed would be a green run."""

import json
import os
import subprocess
import sys

import pytest

_COUNT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "count.py")


def count(*arguments):
    done = subprocess.run([sys.executable, _COUNT, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip()


def write_xml(path, *cases):
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def write_events(path, *events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def result_of(label, status, *xml_paths):
    outputs = [{"name": "test.xml", "uri": path.as_uri()} for path in xml_paths]
    return {"id": {"testResult": {"label": label, "run": 1, "shard": 1, "attempt": 1}},
            "testResult": {"status": status, "testActionOutput": outputs}}


PASSED = '<testcase name="a" status="run" result="completed"/>'
FAILED = '<testcase name="b"><failure message="no"/></testcase>'
BROKEN = '<testcase name="c"><error message="no"/></testcase>'
SKIPPED = '<testcase name="d"><skipped message="why"/></testcase>'
SUPPRESSED = '<testcase name="e" status="notrun" result="suppressed"/>'


@pytest.mark.parametrize("cases, code, line", [
    ([PASSED, PASSED], 0, "2 passed, 0 failed"),
    ([PASSED, FAILED], 1, "1 passed, 1 failed"),
    ([PASSED, BROKEN], 1, "1 passed, 1 failed"),
    ([PASSED, SKIPPED, SUPPRESSED], 0, "1 passed, 0 failed, 2 skipped"),
    ([SKIPPED], 1, "0 passed, 0 failed, 1 skipped"),
    ([], 1, "0 passed, 0 failed"),
])
def test_cases_of_pytest(tmp_path, cases, code, line):
    assert count("--pytest", write_xml(tmp_path / "pytest.xml", *cases)) == (code, line)


def test_a_missing_file_is_a_failure(tmp_path):
    assert count("--pytest", tmp_path / "none.xml") == (1, "0 passed, 1 failed")


def test_cases_of_bazel_and_pytest_are_added(tmp_path):
    xml = write_xml(tmp_path / "test.xml", PASSED, PASSED)
    events = write_events(tmp_path / "events", {"id": {"started": {}}}, result_of("//a:a", "PASSED", xml))
    other = write_xml(tmp_path / "pytest.xml", PASSED)
    assert count("--bazel-events", events, "--pytest", other) == (0, "3 passed, 0 failed")


def test_a_target_that_was_not_built_is_a_failure(tmp_path):
    xml = write_xml(tmp_path / "test.xml", PASSED)
    events = write_events(tmp_path / "events", result_of("//a:a", "PASSED", xml),
                          {"id": {"targetCompleted": {"label": "//b:b"}}, "aborted": {"reason": "X"}})
    assert count("--bazel-events", events) == (1, "1 passed, 1 failed")


def test_a_target_that_failed_after_all_its_cases_passed_is_a_failure(tmp_path):
    xml = write_xml(tmp_path / "test.xml", PASSED)
    assert count("--bazel-events", write_events(tmp_path / "events", result_of("//a:a", "FAILED", xml))) == (
        1, "1 passed, 1 failed")


def test_a_target_that_failed_as_its_cases_say_is_counted_once(tmp_path):
    xml = write_xml(tmp_path / "test.xml", PASSED, FAILED)
    events = write_events(tmp_path / "events", result_of("//a:a", "FAILED", xml),
                          {"id": {"targetCompleted": {"label": "//a:a"}}, "completed": {}})
    assert count("--bazel-events", events) == (1, "1 passed, 1 failed")


def test_a_step_that_failed_without_a_case(tmp_path):
    xml = write_xml(tmp_path / "pytest.xml", PASSED)
    assert count("--pytest", xml, "--also-failed", 1) == (1, "1 passed, 1 failed")
