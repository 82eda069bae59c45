"""`zrs status`, as a script would use it: what its fields say. Their names and kinds: test_status_contract.py."""

import re

from support import config
from support.ports import free_address
from support.raw_file_storage import transactions
from support.sidecar import run_zrs

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def test_status_of_a_primary(lab):
    pair = lab.synced_pair()
    status = pair.primary.status()
    assert status["pid"] == pair.primary.process.pid
    assert isinstance(status["version"], str) and status["version"]
    storage = pair.primary.storage()
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
    pair = lab.synced_pair()
    end = pair.primary.storage()["committedEnd"]
    status = pair.primary.until_storage(lambda s: [f["state"] for f in s["followers"]] == ["streaming"], "a follower")
    follower = status["followers"][0]
    assert follower["peer"]
    assert follower["sent"] == follower["acknowledged"] == end
    assert follower["lagBytes"] == 0
    assert _RFC3339.fullmatch(follower["connectedSince"])


def test_status_of_a_secondary(lab):
    pair = lab.synced_pair()
    storage = pair.secondary.until_storage(lambda s: s["lagSeconds"] is not None, "a heartbeat")
    assert storage["role"] == "secondary"
    assert storage["path"] == pair.copy
    primary = pair.primary.storage()
    for key in ("databaseId", "epoch", "committedEnd", "lastTid"):
        assert storage[key] == primary[key]
    assert storage["lagBytes"] == 0
    assert storage["lagSeconds"] == 0
    assert storage["followers"] == []
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
    pair = lab.synced_pair()
    pair.primary.kill()
    storage = pair.secondary.until_state("connecting")
    assert storage["upstream"]["connected"] is False
    pair.secondary.until_storage(lambda s: s["lagSeconds"] is None, "an unknown lag")


def test_status_for_people(lab):
    pair = lab.synced_pair()
    code, out, _ = run_zrs("status", "--config", pair.secondary.config)
    assert code == 0
    assert "main" in out and "streaming" in out
    assert "\033[" not in out


def test_status_of_a_sidecar_that_does_not_run_fails(lab):
    sidecar = lab.sidecar("primary", config.primary(lab.path("primary-data", "Data.fs"), free_address()))
    code, out, err = run_zrs("status", "--config", sidecar.config, "--json")
    assert (code, out) == (1, "")
    assert sidecar.admin_socket in err


def test_an_unknown_key_is_an_error_that_names_it(lab):
    sidecar = lab.sidecar("primary", config.primary(lab.path("primary-data", "Data.fs"), "5000\n  adress 5001"))
    code, _, err = run_zrs("run", "--config", sidecar.config, timeout=20)
    assert code == 2
    assert "adress" in err
