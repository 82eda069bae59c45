"""House rules that a test can check, over every file of the project that is or will be tracked."""

import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CPP = (".cc", ".h")
SOURCES = CPP + (".py", ".sh", ".proto", ".bzl", ".bazel")
MOST_LINES = 400
LONGEST_LINE = 120

_WALL_CLOCK = re.compile(r"system_clock|absl::Now\(|\btime\((nullptr|NULL|0)\)|gettimeofday|CLOCK_REALTIME")
# Where the wall clock is read outside the seam to threads and time (sidecar/runtime/), and why that is right.
_GRPC = "gRPC takes its deadlines as times of the wall clock; nothing is decided by them"
_WALL_CLOCK_ALLOWED = {
    "sidecar/cli/status_command.cc": "times are shown to people as ages",
    "sidecar/transport/replication_server.cc": _GRPC,
    "tests/sidecar/transport/stream_test.cc": "a seed, which is printed with a failure",
}
_SLEEP = re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\(|\bnanosleep\(|\bsleep\(|absl::SleepFor")
_LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def project_files():
    """Paths from the root, of files that exist."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode()
    return sorted(path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path)))


def lines_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().splitlines()


def matches(pattern, paths):
    """path:line: text, of every line where the pattern is found."""
    return [f"{path}:{number}: {line.strip()}" for path in paths
            for number, line in enumerate(lines_of(path), 1) if pattern.search(line)]


FILES = project_files()
SOURCE_FILES = [path for path in FILES if path.endswith(SOURCES)]
CPP_FILES = [path for path in FILES if path.endswith(CPP)]


def test_there_are_files_to_check():
    assert len(CPP_FILES) > 20
    assert len(SOURCE_FILES) > len(CPP_FILES)


def test_files_are_short():
    long = [f"{path}: {len(lines_of(path))} lines" for path in SOURCE_FILES if len(lines_of(path)) > MOST_LINES]
    assert not long, f"more than {MOST_LINES} lines"


def test_lines_are_short():
    assert not matches(re.compile(f"^.{{{LONGEST_LINE + 1},}}"), SOURCE_FILES)


def test_no_trailing_space_and_no_tab():
    assert not matches(re.compile(r"[ \t]+$|\t"), SOURCE_FILES)


def test_nothing_is_promised_for_later():
    assert not matches(_LATER, SOURCE_FILES)


def test_no_test_sleeps():
    python = [path for path in FILES if path.startswith("tests/") and path.endswith(".py")]
    cpp = [path for path in CPP_FILES if path.startswith("tests/")]
    # The end-to-end tests wait for conditions; their one poll is support/waiting.py's. A benchmark keeps a pace.
    allowed = ("tests/e2e/support/waiting.py", "tests/tidy/test_tidy.py", "tests/bench/")
    assert not matches(_SLEEP, [path for path in python + cpp if not path.startswith(allowed)])


def test_the_wall_clock_is_read_behind_its_seam_only():
    paths = [path for path in CPP_FILES if not path.startswith("sidecar/runtime/") and path not in _WALL_CLOCK_ALLOWED]
    assert not matches(_WALL_CLOCK, paths)


def test_every_exception_is_still_needed():
    for path in _WALL_CLOCK_ALLOWED:
        assert matches(_WALL_CLOCK, [path]), f"{path} no longer needs its exception"


def test_cpp_is_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=5", *CPP_FILES], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run clang-format -i on these:\n{done.stderr}"


@pytest.mark.parametrize("script", [path for path in FILES if path.endswith(".sh") or path == ".ci/run"])
def test_shell_scripts_parse(script):
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)
