"""Hosts that deny or lack something: said with what it is and what to do, and no data file is changed by it."""

import contextlib
import functools
import os
import signal
import socket

import psutil
import pytest
from support import config
from support import database as db
from support.compare import assert_prefix, until_identical
from support.poor_host import with_a_read_only_directory, with_few_descriptors, without_inotify
from support.ports import free_address
from support.refusal import Unchanged, assert_explained
from support import small_disk
from support.waiting import until


def test_a_state_directory_that_cannot_be_written(lab, path):
    primary = lab.sidecar("primary", config.primary(path, free_address()))
    primary.process.use_prefix(with_a_read_only_directory(primary.state_dir))
    files = Unchanged(os.path.dirname(path))
    primary.process.start()
    assert primary.process.exit_code() == 1
    log = primary.process.log()
    assert primary.state_dir in log and "Read-only file system" in log and "check that state-dir may be written" in log
    files.check()


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_a_state_directory_that_is_full(lab, path, role):
    """It goes on by itself once there is space."""
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address))
    secondary = lab.sidecar("secondary", config.secondary(copy, address))
    poor = primary if role == "primary" else secondary
    # One page, which the process's lock takes.
    poor.process.use_prefix(small_disk.in_a_small_disk(poor.state_dir, "4k"))
    files = Unchanged(path)
    primary.start()
    secondary.start()
    storage = poor.until_storage(lambda s: s["error"] and "No space left" in s["error"]["message"], "a full disk")
    assert_explained(storage, poor.state_dir, "free space", "make room")
    assert storage["state"] != "stopped"
    assert not os.path.exists(copy), "a copy without an identity"
    small_disk.resize(poor.process, poor.state_dir, "1m")
    until_identical(path, copy)
    assert poor.until_streaming()["error"] is None
    files.check()


def test_a_state_directory_that_fills_up_later_costs_nothing_but_time(lab, path):
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address))
    disk, prefix = small_disk.kept_small_disk(lab, secondary.state_dir, "64k")
    secondary.process.use_prefix(prefix)
    secondary.start()
    until_identical(path, copy)
    small_disk.fill(disk, secondary.state_dir)
    database = db.open_file(path)
    lab.at_close(database.close)

    def is_said():
        db.put(database, "key", "more")
        return "No space left" in secondary.process.log()

    until(is_said, lambda: f"the full disk to be said\n{secondary.process.log_tail()}", interval=0.5)
    [said] = [line for line in secondary.process.log().splitlines() if "No space left" in line]
    assert secondary.state_dir in said and said.endswith("the next start scans more of the file")
    until_identical(path, copy)
    assert secondary.storage()["error"] is None
    secondary.restart()
    db.put(database, "key", "after a start with no room")
    until_identical(path, copy)
    small_disk.resize(disk, secondary.state_dir, "1m")
    secondary.restart()
    db.put(database, "key", "after a start with room")
    until_identical(path, copy)
    assert secondary.until_streaming()["error"] is None
    assert primary.storage()["error"] is None


def test_a_copys_directory_that_is_read_only(lab, path):
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address))
    secondary.process.use_prefix(with_a_read_only_directory(os.path.dirname(copy)))
    secondary.start()
    assert_explained(secondary.until_state("stopped"), copy, "Read-only file system", "mount")
    assert os.listdir(os.path.dirname(copy)) == []
    secondary.stop()
    # The same of a copy that is there.
    secondary.process.use_prefix(())
    secondary.start()
    until_identical(path, copy)
    secondary.stop()
    files = Unchanged(os.path.dirname(copy))
    secondary.process.use_prefix(with_a_read_only_directory(os.path.dirname(copy)))
    secondary.start()
    assert_explained(secondary.until_state("stopped"), copy, "Read-only file system", "mount")
    files.check()
    assert primary.storage()["error"] is None


def test_a_disk_that_is_full_within_a_transaction_and_has_space_again(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=5, size=10_000)
    address, copy = free_address(), lab.path("copy", "Data.fs")
    lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address))
    secondary.process.use_prefix(small_disk.in_a_small_disk(os.path.dirname(copy), "4m"))
    secondary.start()
    before = os.path.getsize(path)
    secondary.until_storage(lambda s: s["committedEnd"] == before, "the whole file")
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", os.urandom(20_000_000))
    storage = secondary.until_state("disk-full")
    assert_explained(storage, copy, "No space left", "make room")
    seen = lab.path("seen", "Data.fs")
    look(secondary, copy, seen)
    assert os.path.getsize(seen) >= before
    assert_prefix_until(path, seen, before)
    small_disk.resize(secondary.process, os.path.dirname(copy), "100m")
    storage = secondary.until_storage(lambda s: s["committedEnd"] == os.path.getsize(path), "the transaction")
    assert storage["error"] is None
    look(secondary, copy, seen)
    until_identical(path, seen)


def look(sidecar, path, to):
    """Copies a file out of what its process alone sees."""
    with open(small_disk.as_seen_by(sidecar.process, path), "rb") as file, open(to, "wb") as out:
        out.write(file.read())


def assert_prefix_until(path, copy, end):
    os.truncate(copy, end)
    assert_prefix(path, copy)


@pytest.mark.parametrize("what, named", [("watches", "max_user_watches"), ("instances", "max_user_instances")])
def test_without_inotify_the_poll_remains(lab, path, what, named):
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address, keys=[("poll-interval", "100ms")]))
    primary.process.use_prefix(without_inotify(what))
    primary.start()
    lab.sidecar("secondary", config.secondary(copy, address)).start()
    until_identical(path, copy)
    assert primary.storage()["watch"] == "poll"
    log = primary.process.log()
    assert path in log and "noticed by the slow poll alone" in log and named in log
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", "noticed by the poll")
    until_identical(path, copy)


def test_the_limit_of_open_files_is_raised(lab, path):
    primary = lab.sidecar("primary", config.primary(path, free_address()))
    primary.process.use_prefix(with_few_descriptors("64:500"))
    primary.start()
    assert psutil.Process(primary.process.pid).rlimit(psutil.RLIMIT_NOFILE) == (500, 500)


@pytest.mark.parametrize("count", [8, 12, 16, 20, 24, 28, 32])
def test_few_descriptors(lab, path, count):
    """It says so and ends, or it says so and waits, or it works; and never does it take the file for another one."""
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address))
    primary.process.use_prefix(with_few_descriptors(f"{count}:{count}"))
    files = Unchanged(path)
    primary.process.start()
    until(lambda: not primary.process.running() or primary.process.log(), "the primary to end or speak")
    secondary = lab.sidecar("secondary", config.secondary(copy, address)).start()
    until(lambda: not primary.process.running() or "connected" in primary.process.log() or
          "open files" in primary.process.log(), lambda: primary.process.log_tail())
    if not primary.process.running():
        assert primary.process.exit_code() == 1
        assert "open files" in primary.process.log()
    elif "open files" not in primary.process.log():
        until_identical(path, copy)
    secondary.stop()
    files.check()


def connect_silently(lab, address, count):
    """Connections that say nothing, until the test ends; closes them before when it is called."""
    with contextlib.ExitStack() as sockets:
        for _ in range(count):
            peer = socket.socket(socket.AF_UNIX if "/" in address else socket.AF_INET)
            sockets.callback(peer.close)
            host, _, port = address.rpartition(":")
            peer.connect(address if "/" in address else (host, int(port)))
        close = sockets.pop_all().close
    lab.at_close(close)
    return close


@pytest.mark.parametrize("flooded", ["port", "admin socket"])
def test_descriptors_that_are_gone_for_a_while(lab, path, flooded):
    """gRPC would never accept again at an address where it found none: whoever connects later gets in."""
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address))
    primary.process.use_prefix(with_few_descriptors("100:100"))
    primary.start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address)).start()
    until_identical(path, copy)
    close = connect_silently(lab, address if flooded == "port" else primary.admin_socket, 150)
    until(lambda: "turned away" in primary.process.log(), lambda: f"it to be said\n{primary.process.log_tail()}")
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", "a follower that is there goes on")
    until_identical(path, copy)
    if flooded == "port":
        assert primary.storage()["followers"], "the admin socket answers meanwhile"
    close()
    secondary.restart()
    db.put(database, "key", "and comes in again")
    until_identical(path, copy)
    error = primary.until_storage(lambda s: s["followers"], "a follower")["error"]
    # That somebody could not connect is shown for a while.
    assert ("turned away" in error["message"]) if flooded == "port" else error is None
    until(lambda: "accepted again" in primary.process.log(), lambda: f"its end\n{primary.process.log_tail()}")
    [said] = [line for line in primary.process.log().splitlines() if "turned away" in line]
    assert (address if flooded == "port" else primary.admin_socket) in said
    assert "LimitNOFILE=" in said and "ulimit -n" in said


def full_pipe(path):
    """A pipe that takes nothing more; the end at which it can be read."""
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(end, b"x" * size)
    return end


def test_a_log_that_takes_nothing_holds_up_nothing(lab, path):
    """As that of a service whose journald hangs."""
    copy, address = lab.path("copy", "Data.fs"), free_address()
    sidecars = [lab.sidecar("primary", config.primary(path, address)),
                lab.sidecar("secondary", config.secondary(copy, address))]
    logs = []
    for sidecar in sidecars:
        log = lab.path(sidecar.name, "log")
        logs.append(full_pipe(log))
        lab.at_close(functools.partial(os.close, logs[-1]))
        sidecar.process.use_prefix(["sh", "-c", f'exec "$0" "$@" 2> {log}'])
        sidecar.start()
    until_identical(path, copy)
    database = db.open_file(path)
    db.put(database, "key", "value")
    database.close()
    until_identical(path, copy)
    assert sidecars[0].wait() == 0
    for sidecar, log in zip(sidecars, logs):
        sidecar.process.signal(signal.SIGTERM)
        said = b""

        def ended(sidecar=sidecar, log=log):
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                said += os.read(log, 1 << 16)
            return not sidecar.process.running()

        until(ended, f"{sidecar.name} to end once its log is read")
        assert sidecar.process.exit_code() == 0
        assert b"is up with 1 storage" in said
