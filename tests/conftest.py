"""Options of the test run, and what all tests have that run real processes."""

import os
import shutil
import tempfile

import pytest
from support.lab import Lab
from support.sidecar import BINARY


def pytest_addoption(parser):
    parser.addoption("--loop-seconds", type=float, default=5.0, help="how long each test that loops goes on (5)")
    parser.addoption("--keep", action="store_true", help="keep every test's directory, not only those of failed ones")
    parser.addoption("--faults-seed", type=int, help="what tests/faults draws its faults from (another one each time)")


def pytest_collection_modifyitems(config, items):
    limit = float(config.getini("timeout")) + config.getoption("--loop-seconds")
    for item in items:
        item.add_marker(pytest.mark.timeout(limit))


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
def loop_seconds(request):
    return request.config.getoption("--loop-seconds")


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
