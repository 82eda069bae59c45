"""`zrs status --json`, `zrs wait` and `zrs version`, as a script would use them."""

import re
import signal

from support import config
from support import database as db
from support.ports import free_address
from support.raw_file_storage import transactions
from support.sidecar import run_zrs

_STORAGE_KEYS = {
    "name", "role", "state", "path", "databaseId", "epoch", "committedEnd", "lastTid", "lastTidTime", "lagBytes",
    "lagSeconds", "watch", "progress", "upstream", "followers", "error",
}
_FOLLOWER_KEYS = {"peer", "state", "sent", "acknowledged", "lagBytes", "lagSeconds", "connectedSince"}
_UPSTREAM_KEYS = {"address", "connected", "since", "lastError"}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def synced_pair(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    pair.until_identical()
    assert pair.primary.wait() == 0
    return pair


def test_version():
    code, out, _ = run_zrs("version")
    assert code == 0
    assert re.search(r"\d+\.\d+", out)


def test_status_of_a_primary(lab):
    pair = synced_pair(lab)
    status = pair.primary.status()
    assert status["pid"] == pair.primary.process.pid
    assert isinstance(status["version"], str) and status["version"]
    storage = pair.primary.storage()
    assert _STORAGE_KEYS <= set(storage)
    offset, tid, _, length = transactions(pair.path)[-1]
    assert storage["role"] == "primary"
    assert storage["state"] == "streaming"
    assert storage["path"] == pair.path
    assert re.fullmatch("[0-9a-f]{32}", storage["databaseId"])
    assert storage["committedEnd"] == offset + length
    assert storage["lastTid"] == tid.hex()
    assert _RFC3339.fullmatch(storage["lastTidTime"])
    assert storage["watch"] == "inotify"
    assert storage["error"] is None
    assert storage["upstream"] is None


def test_status_of_a_follower_at_its_primary(lab):
    pair = synced_pair(lab)
    end = pair.primary.storage()["committedEnd"]
    status = pair.primary.until_storage(lambda s: [f["state"] for f in s["followers"]] == ["streaming"], "a follower")
    follower = status["followers"][0]
    assert _FOLLOWER_KEYS <= set(follower)
    assert follower["peer"]
    assert follower["sent"] == follower["acknowledged"] == end
    assert follower["lagBytes"] == 0
    assert _RFC3339.fullmatch(follower["connectedSince"])


def test_status_of_a_secondary(lab):
    pair = synced_pair(lab)
    storage = pair.secondary.until_storage(lambda s: s["lagSeconds"] is not None, "a heartbeat")
    assert _STORAGE_KEYS <= set(storage)
    assert storage["role"] == "secondary"
    assert storage["path"] == pair.copy
    primary = pair.primary.storage()
    for key in ("databaseId", "epoch", "committedEnd", "lastTid"):
        assert storage[key] == primary[key]
    assert storage["lagBytes"] == 0
    assert storage["lagSeconds"] == 0
    assert storage["followers"] == []
    assert _UPSTREAM_KEYS <= set(storage["upstream"])
    assert storage["upstream"]["address"] == pair.address
    assert storage["upstream"]["connected"] is True


def test_status_without_an_upstream_says_unknown_and_never_zero(lab):
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, "127.0.0.1:1")).start()
    storage = secondary.until_storage(lambda s: s["upstream"] and s["upstream"]["lastError"], "a failed connection")
    assert storage["state"] == "connecting"
    assert storage["upstream"]["connected"] is False
    assert storage["lagBytes"] is None
    assert storage["lagSeconds"] is None
    assert storage["databaseId"] is None


def test_lag_is_unknown_once_the_primary_is_gone(lab):
    pair = synced_pair(lab)
    pair.primary.kill()
    storage = pair.secondary.until_state("connecting")
    assert storage["upstream"]["connected"] is False
    pair.secondary.until_storage(lambda s: s["lagSeconds"] is None, "an unknown lag")


def test_status_for_people(lab):
    pair = synced_pair(lab)
    code, out, _ = run_zrs("status", "--config", pair.secondary.config)
    assert code == 0
    assert "main" in out and "streaming" in out
    assert "\033[" not in out


def test_status_of_a_sidecar_that_does_not_run_fails(lab):
    sidecar = lab.sidecar("primary", config.primary(lab.path("primary-data", "Data.fs"), free_address()))
    code, out, err = run_zrs("status", "--config", sidecar.config, "--json")
    assert code != 0
    assert out == ""
    assert err


def test_wait_is_over_when_the_followers_have_everything(lab):
    pair = synced_pair(lab)
    database = db.open_file(pair.path)
    lab.at_close(database.close)
    for number in range(10):
        db.put(database, number, b"x" * 100_000)
        assert pair.primary.wait("--replicas", "1") == 0
        assert pair.secondary.storage()["committedEnd"] == pair.primary.storage()["committedEnd"]


def test_wait_for_a_follower_that_does_not_move_times_out(lab):
    pair = synced_pair(lab)
    pair.secondary.process.signal(signal.SIGSTOP)
    database = db.open_file(pair.path)
    db.put(database, "key", "value")
    database.close()
    assert pair.primary.wait("--replicas", "1", timeout=1) == 1
    pair.secondary.process.signal(signal.SIGCONT)
    assert pair.primary.wait("--replicas", "1") == 0
    pair.until_identical()


def test_wait_for_more_followers_than_there_are_times_out(lab):
    pair = synced_pair(lab)
    assert pair.primary.wait("--replicas", "2", timeout=1) == 1


def test_wait_without_a_follower_is_one(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    primary = lab.sidecar("primary", config.primary(path, free_address())).start()
    assert primary.wait(timeout=1) == 1


def test_wait_on_a_secondary_is_two(lab):
    assert synced_pair(lab).secondary.wait(timeout=1) == 2


def test_an_unknown_key_is_an_error_that_names_it(lab):
    sidecar = lab.sidecar("primary", config.primary(lab.path("primary-data", "Data.fs"), "5000\n  adress 5001"))
    code, _, err = run_zrs("run", "--config", sidecar.config, timeout=20)
    assert code not in (0, -6, -11)
    assert "adress" in err


def test_a_missing_configuration_is_an_error_that_names_it(lab):
    path = lab.path("no-such.conf")
    code, _, err = run_zrs("run", "--config", path, timeout=20)
    assert code not in (0, -6, -11)
    assert path in err
