"""deploy/quickstart.sh, as a new user types it, and that it leaves nothing behind however it ends."""

import importlib
import os
import random
import signal
import subprocess

import psutil
import pytest
import ZODB
from support import database as db
from support.process import Process
from support.sidecar import BINARY, ROOT
from support.waiting import until

QUICKSTART = os.path.join(ROOT, "deploy", "quickstart.sh")


@pytest.fixture
def environment(lab):
    """Its temporary directory is ours, so that what it leaves can be seen."""
    directory = lab.path("tmp", "x")
    return dict(os.environ, ZRS_BINARY=BINARY, TMPDIR=os.path.dirname(directory))


def run_once(environment, *arguments):
    done = subprocess.run([QUICKSTART, "--once", "--seconds", "3", *arguments], env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=150, check=False)
    return done.returncode, done.stdout, done.stderr


def processes_of(environment):
    """That mention its temporary directory: everything that it starts does."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if any(environment["TMPDIR"] in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def assert_nothing_left(environment):
    until(lambda: not processes_of(environment), lambda: f"the end of {processes_of(environment)}")
    assert os.listdir(environment["TMPDIR"]) == []


def test_the_applications_first_step_may_be_an_undo(lab, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(ROOT, "deploy", "demo"))
    writer = importlib.import_module("writer")
    database = ZODB.DB(lab.path("primary", "Data.fs"))
    site = writer.Site(database, random.Random(1))
    site.undo()
    site.add()
    site.undo()
    site.edit()
    database.close()


def test_once(environment):
    code, out, err = run_once(environment)
    assert code == 0, err
    assert "secondary is byte-identical" in out
    assert " commits" in out
    assert_nothing_left(environment)


def test_a_file_of_the_users_own_is_only_read(lab, environment):
    path = lab.path("users", "Data.fs")
    db.fill(path)
    before = {name: os.stat(lab.path("users", name)).st_mtime_ns for name in os.listdir(os.path.dirname(path))}
    code, out, err = run_once(environment, "--data", path)
    assert code == 0, err
    assert f"secondary is byte-identical: {os.path.getsize(path):,} bytes" in out
    after = {name: os.stat(lab.path("users", name)).st_mtime_ns for name in os.listdir(os.path.dirname(path))}
    assert before == after
    assert_nothing_left(environment)


def test_a_missing_file_is_named(lab, environment):
    code, _, err = run_once(environment, "--data", lab.path("users", "none.fs"))
    assert code == 1
    assert "none.fs" in err


def start_interactive(lab, environment):
    """On a terminal of its own; returns the process and what it shows."""
    # exec: no shell stays in between, which Ctrl-C would end too (dash does not replace itself by its last command).
    process = Process("quickstart", ["script", "-qefc", f"exec {QUICKSTART}", "/dev/null"], lab.path("quickstart.log"),
                      dict(environment, SHELL="/bin/sh"))
    lab.at_close(process.kill)
    process.start()
    process.until_logged("commits  ", timeout=60)
    return process


def quickstart_bash(process):
    children = psutil.Process(process.pid).children(recursive=True)
    return next(child for child in children if QUICKSTART in " ".join(child.cmdline()) and child.name() != "sh")


def test_ctrl_c_ends_the_live_view_and_everything(lab, environment):
    process = start_interactive(lab, environment)
    process.until_logged("secondary")
    # As a terminal does: to the whole foreground group.
    os.killpg(os.getpgid(quickstart_bash(process).pid), signal.SIGINT)
    assert process.exit_code() == 0
    assert_nothing_left(environment)


def test_nothing_runs_on_after_it_was_killed(lab, environment):
    process = start_interactive(lab, environment)
    quickstart_bash(process).kill()
    process.exit_code()
    until(lambda: not processes_of(environment), lambda: f"the end of {processes_of(environment)}")
