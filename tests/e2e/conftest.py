"""Fixtures of the end-to-end tests."""

import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(HERE)), "deploy", "demo")]

from support import database as db  # noqa: E402  pylint: disable=wrong-import-position
from support.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position
from support.sidecar import BINARY  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture
def loop_seconds(request):
    return request.config.getoption("--loop-seconds")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets the lab know how its test ended, and shows the logs of a failed one."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed_call = report.failed
        directory = getattr(item, "lab_directory", None)
        if report.failed and directory:
            for name, text in _log_tails(directory):
                report.sections.append((name, text))


def _log_tails(directory, lines=30):
    for parent, _, names in sorted(os.walk(directory)):
        for name in names:
            if name.endswith(".log"):
                path = os.path.join(parent, name)
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield os.path.relpath(path, directory), "".join(file.readlines()[-lines:])


@pytest.fixture
def lab(request):
    """A Lab in a directory of its own, which other users may enter, with a name short enough for Unix sockets."""
    if not os.access(BINARY, os.X_OK):
        pytest.fail(f"{BINARY} is not there: bazel build //:zrs, or set ZRS_BINARY")
    directory = tempfile.mkdtemp(prefix="zrs-")
    os.chmod(directory, 0o755)
    request.node.lab_directory = directory
    made = Lab(directory)
    try:
        yield made
    finally:
        made.close()
        if request.config.getoption("--keep") or getattr(request.node, "failed_call", True):
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory)


@pytest.fixture(name="path")
def fixture_path(lab):
    """A database of some commits, which nobody has open."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    return path
