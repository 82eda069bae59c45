"""`zrs wait`: what a script that has to know that a commit is safe gets told."""

import os
import signal

from support import config
from support import database as db
from support.ports import free_address
from support.process import Process
from support.sidecar import BINARY, run_zrs
from support.waiting import until


def started_primary(lab, *more):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address), *more).start()
    primary.until_streaming()
    return primary, path, address


def wait(sidecar, *arguments):
    return run_zrs("wait", "--config", sidecar.config, *arguments)


def waiter(lab, primary, timeout, name="waiter"):
    """A started `zrs wait` in the background."""
    process = Process(name, [BINARY, "wait", "--config", primary.config, "--timeout", str(timeout)],
                      lab.path(f"{name}.log"))
    lab.at_close(process.kill)
    process.start()
    return process


def descriptors(sidecar):
    return len(os.listdir(f"/proc/{sidecar.process.pid}/fd"))


def settled_descriptors(sidecar):
    """Those of nobody's connection: what was asked before may still be on its way to being closed."""
    counts = []

    def settled():
        counts.append(descriptors(sidecar))
        return len(set(counts[-25:])) == 1 and len(counts) >= 25

    until(settled, lambda: f"descriptors to settle: {counts[-25:]}", interval=0.02)
    return counts[-1]


def test_without_a_follower(lab):
    primary, _, _ = started_primary(lab)
    for arguments in ([], ["--timeout", "0.2"], ["--replicas", "2", "--timeout", "0.2"]):
        code, out, err = wait(primary, *arguments)
        assert (code, out) == (1, "")
        assert "no follower is connected" in err
        assert "zrs status" in err


def test_a_follower_that_connects_meanwhile_counts_at_once(lab):
    primary, _, address = started_primary(lab)
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, address, keys=[("keep-alive-delay", "1h")])).start()
    secondary.until_streaming()
    assert wait(primary, "--timeout", "20")[0] == 0
    secondary.stop()
    primary.until_storage(lambda s: s["followers"] == [], "the follower to be gone")
    before = settled_descriptors(primary)
    waiting = waiter(lab, primary, 25)
    until(lambda: descriptors(primary) > before, "it to be waited on")
    secondary.start()
    assert waiting.exit_code(15) == 0


def test_it_is_over_when_the_followers_have_everything(lab):
    pair = lab.synced_pair()
    database = db.open_file(pair.path)
    lab.at_close(database.close)
    for number in range(10):
        db.put(database, number, b"x" * 100_000)
        assert pair.primary.wait("--replicas", "1") == 0
        assert pair.secondary.storage()["committedEnd"] == pair.primary.storage()["committedEnd"]


def test_the_time_is_over_says_who_is_behind(lab):
    primary, path, address = started_primary(lab)
    secondary = lab.sidecar("secondary", config.secondary(lab.path("secondary", "Data.fs"), address)).start()
    secondary.until_streaming()
    assert wait(primary, "--timeout", "20")[0] == 0
    secondary.process.signal(signal.SIGSTOP)
    database = db.open_file(path)
    db.put(database, "key", "x" * 1000)
    database.close()
    code, _, err = wait(primary, "--timeout", "0.5")
    secondary.process.signal(signal.SIGCONT)
    assert code == 1
    assert "on 0 follower(s), and 1 were wanted" in err
    assert "behind: ipv4:127.0.0.1:" in err
    assert wait(primary, "--timeout", "20", "--replicas", "1")[0] == 0
    code, _, err = wait(primary, "--timeout", "0.5", "--replicas", "2")
    assert code == 1
    assert "on 1 follower(s), and 2 were wanted" in err


def test_a_secondary_in_the_same_process_is_passed_over(lab):
    copy = lab.path("other", "Data.fs")
    primary, _, address = started_primary(lab, config.secondary(copy, "127.0.0.1:1", name="other"))
    lab.sidecar("secondary", config.secondary(lab.path("secondary", "Data.fs"), address)).start().until_streaming()
    assert wait(primary, "--timeout", "20")[0] == 0
    code, _, err = wait(primary, "--storage", "other")
    assert code == 2
    assert "secondary" in err


def test_those_who_give_up_leave_nothing_behind(lab):
    primary, _, _ = started_primary(lab)
    before = settled_descriptors(primary)
    waiting = [waiter(lab, primary, 3600, f"waiter-{number}") for number in range(40)]
    until(lambda: descriptors(primary) >= before + 40, lambda: f"40 connections; there are {descriptors(primary)}")
    for process in waiting:
        process.kill()
    until(lambda: descriptors(primary) <= before + 2, lambda: f"their end; there are {descriptors(primary)}")
    assert primary.storage()["state"] == "streaming"
