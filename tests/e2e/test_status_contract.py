"""Status as it is documented: every field and every state seen from outside, with what the document says of it."""

import os

from support import config, contract
from support import database as db
from support import raw_file_storage
from support.ports import free_address
from support.sidecar import run_zrs
from support.slow_link import behind_a_slow_link
from support.small_disk import in_a_small_disk, resize
from support.waiting import until


def checked(sidecar):
    """Its only storage's status, after the whole was held against the document."""
    status = sidecar.status()
    contract.known(status)
    return status["storages"][0]


def until_checked(sidecar, condition, what):
    """As Sidecar.until_storage, with each status held against the document."""
    seen = {}

    def check():
        seen["last"] = checked(sidecar)
        return condition(seen["last"]) and seen["last"]

    return until(check, lambda: f"{sidecar.name}: {what}; last was {seen}", interval=0.05)


def until_state(sidecar, state):
    return until_checked(sidecar, lambda s: s["state"] == state, state)


def large_file(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=30, size=1_000_000)
    return path


def test_every_field_is_known_at_least_once(lab):
    path = large_file(lab)
    seen = set()
    keys = [("blobs", "external"), ("on-swap", "exit 3"), ("index-interval", "1s")]
    pair, link = behind_a_slow_link(lab, path, 10_000_000, keys=keys)
    primary, secondary = pair.primary, pair.secondary

    def note(sidecar, condition, what):
        until(lambda: seen.update(contract.known(sidecar.status())) or condition(), what, interval=0.05)

    note(secondary, lambda: "storages.progress.secondsLeft" in seen, "progress of the first copy")
    os.mkdir(pair.copy + ".index")
    link.allow()
    note(secondary, lambda: "storages.lagSeconds" in seen, "a lag")
    note(secondary, lambda: "storages.index.lastError" in seen, "an index that cannot be written")
    os.rmdir(pair.copy + ".index")
    note(secondary, lambda: "storages.index.upTo" in seen, "an index")
    note(primary, lambda: "storages.followers.lagSeconds" in seen, "a follower")
    database = db.open_file(path)
    db.put(database, "key-0", "gone")
    database.pack()
    database.close()
    note(secondary, lambda: "storages.lastSwap.commandError" in seen, "a swap")
    link.close()
    note(secondary, lambda: "storages.upstream.lastError" in seen and "storages.error.since" in seen, "an error")
    two_addresses = config.secondary(lab.path("spare", "Data.fs"), f"{free_address()} {free_address()}")
    spare = lab.sidecar("spare", two_addresses).start()
    note(spare, lambda: "storages.upstream.others.whyNot" in seen, "another address")
    # One that nobody has followed yet.
    alone = lab.sidecar("alone", config.primary(path, free_address()))
    primary.stop()
    alone.start()
    note(alone, lambda: "storages.takesIdentity" in seen, "an identity that nobody else has")
    comparing = ("storages.checking", "storages.divergence", "storages.scrub")
    elsewhere = {field for field in contract.fields() if field.startswith(comparing)}  # test_compare.py
    elsewhere.add("storages.fencingSince")  # test_promote.py
    assert seen - elsewhere == contract.fields() - elsewhere


def test_starting_while_the_file_is_not_there(lab):
    path = lab.path("primary-data", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, free_address())).start()
    storage = until_state(primary, "starting")
    assert storage["error"] is None or path in storage["error"]["message"]
    assert storage["committedEnd"] is None and storage["databaseId"] is None and storage["watch"] is None
    db.fill(path)
    storage = until_checked(primary, lambda s: s["committedEnd"] == os.path.getsize(path), "the whole file")
    assert storage["state"] == "streaming" and storage["error"] is None


def test_proving(lab):
    """A file that nobody knows, and nobody to compare it with yet."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address = free_address()
    secondary = lab.sidecar("secondary", config.secondary(path, address)).start()
    storage = until_checked(secondary, lambda s: s["error"], "an error")
    assert storage["state"] == "proving"
    assert storage["committedEnd"] is None and storage["databaseId"] is None


def test_connecting_copying_and_streaming(lab):
    path = large_file(lab)
    pair, link = behind_a_slow_link(lab, path, 10_000_000)
    secondary = pair.secondary
    storage = until_checked(secondary, lambda s: s["progress"] and s["progress"]["rate"], "progress")
    assert storage["state"] == "copying"
    progress = storage["progress"]
    assert 4 < progress["bytes"] <= storage["committedEnd"] < progress["total"] == os.path.getsize(path)
    assert progress["secondsLeft"] > 0
    storage = until_checked(secondary, lambda s: s["lagBytes"], "a heartbeat")
    assert storage["lagBytes"] == os.path.getsize(path) - storage["committedEnd"]
    assert storage["lagSeconds"] > 0
    link.allow()
    storage = until_checked(secondary, lambda s: s["state"] == "streaming" and s["lagBytes"] == 0, "the whole copy")
    assert storage["progress"] is None and storage["lagSeconds"] == 0 and storage["error"] is None
    link.close()
    storage = until_state(secondary, "connecting")
    assert storage["upstream"]["connected"] is False and storage["upstream"]["lastError"]
    assert storage["committedEnd"] == os.path.getsize(path)


def test_the_lag_of_a_follower_is_that_of_its_oldest_commit(lab):
    """The follower's acknowledgements stop; what the primary commits meanwhile grows old there."""
    path = large_file(lab)
    pair, _ = behind_a_slow_link(lab, path, 10_000_000)
    primary = pair.primary
    until_state(pair.secondary, "copying")
    behind = until_checked(primary, lambda s: s["followers"] and s["followers"][0]["lagSeconds"], "a lag")
    first = behind["followers"][0]
    size = os.path.getsize(path)
    assert first["lagBytes"] == size - first["acknowledged"]
    assert first["acknowledged"] < first["sent"] <= size
    assert first["state"] in ("copying", "streaming")
    until_checked(primary, lambda s: s["followers"][0]["lagSeconds"] > first["lagSeconds"], "the lag to grow")


def test_diverged(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    with open(pair.copy, "ab") as file:
        file.write(raw_file_storage.transaction(os.path.getsize(pair.copy), 1 << 60, [b"written by another"]))
    pair.secondary.start()
    storage = until_state(pair.secondary, "diverged")
    assert storage["error"]["message"] and storage["error"]["remedy"]


def test_stopped(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    with open(path, "r+b") as file:
        file.seek(raw_file_storage.transactions(path)[5][0] + 16)
        file.write(b"?")
    storage = until_state(lab.sidecar("primary", config.primary(path, free_address())).start(), "stopped")
    assert path in storage["error"]["message"] and storage["error"]["remedy"]
    assert storage["watch"] is None and storage["progress"] is None


def test_superseded(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=20)
    primary_address, address = free_address(), free_address()
    primary = lab.sidecar("primary", config.primary(path, primary_address)).start()
    promoted = lab.sidecar("promoted", config.secondary(lab.path("promoted", "Data.fs"), primary_address,
                                                        serve_on=address)).start()
    promoted.until_streaming()
    assert run_zrs("promote", "--config", promoted.config, "--force")[0] == 0
    copy = lab.path("follower", "Data.fs")
    follower = lab.sidecar("follower", config.secondary(copy, address)).start()
    follower.until_streaming()
    follower.stop()
    follower.configure(config.secondary(copy, primary_address))
    follower.start()
    storage = until_state(primary, "superseded")
    assert storage["generation"] == 1 and "zrs promote --force" in storage["error"]["remedy"]


def test_disk_full_and_healed(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=30, size=100_000)
    address = free_address()
    copy = lab.path("copy", "Data.fs")
    lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address),
                            prefix=in_a_small_disk(os.path.dirname(copy), "1m")).start()
    storage = until_state(secondary, "disk-full")
    assert "No space left on device" in storage["error"]["message"]
    assert "make room" in storage["error"]["remedy"]
    resize(secondary.process, os.path.dirname(copy), "100m")
    storage = until_state(secondary, "streaming")
    assert storage["committedEnd"] == os.path.getsize(path)


def test_rebuilding_and_paused(lab):
    path = large_file(lab)
    pair, link = behind_a_slow_link(lab, path, os.path.getsize(path) + 10_000_000)
    secondary = pair.secondary
    until_state(secondary, "streaming")
    database = db.open_file(path)
    db.put(database, "key-0", "gone")
    database.pack()
    database.close()
    storage = until_checked(secondary, lambda s: s["progress"] and s["progress"]["rate"], "progress of a rebuild")
    assert storage["state"] == "rebuilding"
    assert 4 < storage["progress"]["bytes"] < storage["progress"]["total"] == os.path.getsize(path)
    link.allow()
    until_checked(secondary, lambda s: s["lastSwap"] and s["state"] == "streaming", "the new file")
    pair.until_identical()
    run_zrs("pause", "--config", secondary.config)
    until_state(secondary, "paused")


def test_every_state_is_looked_at_above():
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    for state in contract.states():
        assert f'"{state}"' in text, state


class FirstConsumer:
    """Written when the contract was new; it knows nothing that came later."""

    def __init__(self, status):
        self.process = (status["version"], status["pid"])
        self.storages = [self.storage(storage) for storage in status["storages"]]

    @staticmethod
    def storage(of):
        plain = ("name", "role", "state", "path", "databaseId", "epoch", "committedEnd", "lastTid", "lastTidTime",
                 "lagBytes", "lagSeconds", "watch", "blobs")
        progress = [(of["progress"] or {}).get(name) for name in ("bytes", "total", "rate", "secondsLeft")]
        upstream = of["upstream"] and [of["upstream"][name] for name in ("address", "connected", "since", "lastError")]
        followers = [[one[name] for name in ("peer", "state", "sent", "acknowledged", "lagBytes", "lagSeconds",
                                             "connectedSince")] for one in of["followers"]]
        error = of["error"] and [of["error"][name] for name in ("message", "remedy", "since")]
        return [of[name] for name in plain], progress, upstream, followers, error


def with_more_fields(value):
    """The same as a later version would say it."""
    if isinstance(value, dict):
        known = {name: with_more_fields(inner) for name, inner in value.items()}
        return {"addedBefore": 1, **known, "addedLater": [{}]}
    return [with_more_fields(item) for item in value] if isinstance(value, list) else value


def test_a_consumer_of_the_first_contract_goes_on(lab):
    pair = lab.pair(lab.path("primary-data", "Data.fs"))
    db.fill(pair.path)
    pair.until_identical()
    pair.primary.until_storage(lambda s: s["followers"], "a follower")
    for sidecar in (pair.primary, pair.secondary):
        status = sidecar.status()
        assert vars(FirstConsumer(with_more_fields(status))) == vars(FirstConsumer(status))
