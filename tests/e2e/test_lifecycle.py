"""`zrs start` and `zrs stop`, as an administrator or an init script types them."""

import os
import signal
import time

import psutil
import pytest
from support import config
from support import database as db
from support.background import Background
from support.compare import assert_prefix, read_bytes
from support.ports import free_address
from support.waiting import until


@pytest.fixture
def primary(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    made = Background(lab, "primary", config.primary(path, free_address()))
    made.path = path
    return made


def test_start_returns_when_it_is_up(primary):
    code, out, err = primary.command("start")
    assert (code, out, err) == (0, "", "")
    assert primary.sidecar.status()["pid"] in primary.pids()
    code, _, err = primary.command("stop")
    assert (code, err) == (0, "")
    assert primary.pids() == []
    assert not os.path.exists(primary.sidecar.admin_socket)


def test_it_runs_without_a_terminal_and_logs_to_the_state_directory(primary):
    assert primary.command("start")[0] == 0
    process = psutil.Process(primary.sidecar.status()["pid"])
    assert process.terminal() is None
    assert process.cwd() == "/"
    assert os.getsid(process.pid) == process.pid
    for stream in range(3):
        assert os.readlink(f"/proc/{process.pid}/fd/{stream}") == "/dev/null"
    with open(os.path.join(primary.sidecar.state_dir, "zrs.log"), encoding="utf-8") as log:
        assert "is up with 1 storage(s)" in log.read()


def test_start_names_a_storage_that_cannot_work(lab):
    copy = lab.path("copy-data", "Data.fs")
    first, second = (Background(lab, name, config.secondary(copy, "127.0.0.1:1")) for name in ("first", "second"))
    assert first.command("start") == (0, "", "")
    code, out, err = second.command("start")
    assert (code, out) == (0, "")
    assert err.startswith("zrs: it is up, but storage main is stopped: ") and copy in err and err.count("\n") == 1


def test_starting_twice_is_said_and_is_no_failure(primary):
    assert primary.command("start")[0] == 0
    pid = primary.sidecar.status()["pid"]
    code, _, err = primary.command("start")
    assert code == 0
    assert f"process {pid} runs already" in err
    assert primary.sidecar.status()["pid"] == pid


def test_stopping_what_does_not_run_is_no_failure(primary):
    code, _, err = primary.command("stop")
    assert code == 0
    assert "did not run" in err


def test_stop_tells_of_a_state_directory_that_was_moved_away(primary):
    primary.sidecar.start()
    os.rename(primary.sidecar.state_dir, primary.sidecar.state_dir + ".moved")
    code, _, err = primary.command("stop")
    assert code == 0
    assert "that one runs on: pgrep -a zrs shows it" in err
    primary.sidecar.process.terminate()
    assert primary.sidecar.process.exit_code(5) == 0


def test_stop_also_stops_one_in_the_foreground(primary):
    primary.sidecar.start()
    assert primary.command("stop")[0] == 0
    assert primary.sidecar.process.exit_code(5) == 0


@pytest.mark.parametrize("what", ["address", "directory", "log"])
def test_a_start_that_fails_says_why(lab, primary, what):
    if what == "address":
        other = Background(lab, "other", config.primary(primary.path + "2", "127.0.0.1:1"))
        address = free_address()
        other.sidecar.configure(config.primary(primary.path, address))
        assert other.command("start")[0] == 0
        primary.sidecar.configure(config.primary(primary.path + "2", address))
        expected = address
    elif what == "directory":
        os.rmdir(primary.sidecar.state_dir)
        with open(primary.sidecar.state_dir, "w", encoding="ascii"):
            pass
        expected = primary.sidecar.state_dir
    else:
        with open(primary.sidecar.config, encoding="utf-8") as file:
            text = file.read()
        with open(primary.sidecar.config, "w", encoding="utf-8") as file:
            file.write(text.replace("<sidecar>", f"<sidecar>\n  log-file {primary.path}/zrs.log"))
        expected = f"{primary.path}/zrs.log"
    code, out, err = primary.command("start")
    assert code == 1
    assert out == ""
    assert expected in err
    assert err.count("\n") == 1
    assert primary.pids() == []


def test_a_wrong_configuration_is_usage(primary):
    primary.sidecar.configure("<zrs main>\n</zrs>\n")
    for command in ("start", "stop", "health"):
        code, _, err = primary.command(command)
        assert code == 2
        assert primary.sidecar.config + ":" in err


def test_stop_publishes_the_last_commits_and_waits_for_the_follower(lab, primary):
    assert primary.command("start")[0] == 0
    assert primary.sidecar.storage()["followers"] == []
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, _address_of(primary))).start()
    secondary.until_streaming()
    database = db.open_file(primary.path)
    for number in range(20):
        db.put(database, f"key-{number}", "x" * 10_000)
    database.close()
    assert primary.command("stop")[0] == 0
    # What is announced behind it, in case that another one comes, may be there a moment longer.
    assert_prefix(copy, primary.path)


def _address_of(background):
    with open(background.sidecar.config, encoding="utf-8") as file:
        return next(line.split()[1] for line in file if line.split()[:1] == ["address"])


def test_a_second_signal_ends_a_stop_that_waits_for_a_follower(lab, primary):
    """The follower is stopped by SIGSTOP: it does not acknowledge."""
    assert primary.command("start")[0] == 0
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, _address_of(primary))).start()
    secondary.until_streaming()
    secondary.process.signal(signal.SIGSTOP)
    database = db.open_file(primary.path)
    db.put(database, "key", "x" * 10_000)
    database.close()
    pid = primary.sidecar.status()["pid"]
    os.kill(pid, signal.SIGTERM)
    log = os.path.join(primary.sidecar.state_dir, "zrs.log")
    until(lambda: b"stopping, with up to 30s" in read_bytes(log), lambda: read_bytes(log))
    assert primary.pids() == [pid]
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    until(lambda: primary.pids() == [], lambda: read_bytes(log))
    assert time.monotonic() - began < 10
    assert b"a second signal" in read_bytes(log)
    secondary.process.signal(signal.SIGCONT)
