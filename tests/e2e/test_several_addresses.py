"""Two secondaries that each name the primary and the other one: a failover without touching a configuration."""

import pytest
from support import config
from support import contract
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.sidecar import run_zrs


class Site:
    """A ZEO server and its client, a primary, and two secondaries that may take its place."""

    def __init__(self, lab):
        self.lab = lab
        self.zeo = lab.zeo()
        self.client = lab.client(self.zeo)
        self.primary_address, self.first_address, self.second_address = (free_address() for _ in range(3))
        self.copies = [lab.path("first", "Data.fs"), lab.path("second", "Data.fs")]
        self.primary = lab.sidecar("primary", config.primary(self.zeo.path, self.primary_address)).start()
        self.first = self.secondary("first", self.copies[0], self.first_address, self.second_address)
        self.second = self.secondary("second", self.copies[1], self.second_address, self.first_address)
        for number in range(20):
            db.put(self.client, f"key-{number}", number)
        until_identical(self.zeo.path, *self.copies)
        for sidecar in (self.first, self.second):
            until_following(sidecar, self.primary_address, 1)

    def secondary(self, name, copy, address, other):
        section = config.secondary(copy, f"{self.primary_address} {other}", serve_on=address)
        return self.lab.sidecar(name, section).start()

    def lose_primary(self):
        self.zeo.process.kill()
        self.primary.kill()


@pytest.fixture(name="site")
def _site(lab):
    return Site(lab)


def promote(sidecar, *options):
    return run_zrs("promote", "--config", sidecar.config, *options)


def until_following(sidecar, address, generation):
    """Its status then, which is as documented."""
    def follows(storage):
        upstream = storage["upstream"]
        return (storage["state"] == "streaming" and storage["generation"] == generation
                and upstream["connected"] and upstream["address"] == address)
    storage = sidecar.until_storage(follows, f"following {address} in generation {generation}", timeout=60)
    contract.known(sidecar.status())
    return storage


def why_not(sidecar, address):
    [other] = [one for one in sidecar.storage()["upstream"]["others"] if one["address"] == address]
    return other["whyNot"]


def test_the_others_follow_the_promoted_one_by_themselves(site):
    site.lose_primary()
    code, _, err = promote(site.first)
    assert code == 0, err
    zeo = site.lab.zeo("new-zeo", site.copies[0])
    client = site.lab.client(zeo)
    assert [db.get(client, f"key-{number}") for number in range(20)] == list(range(20))
    db.put(client, "after", "the failover")
    until_identical(*site.copies)
    until_following(site.second, site.first_address, 2)
    site.second.process.until_logged(f"following {site.first_address} from offset")

    # The old primary comes back as one, and is told by those who look at it.
    site.primary.start()
    site.primary.until_state("superseded", timeout=60)
    old = site.lab.zeo("old-zeo", site.zeo.path)
    db.put(site.lab.client(old), "nobody", "wants this")
    db.put(client, "still", "followed")
    until_identical(*site.copies)
    until_following(site.second, site.first_address, 2)
    site.second.until_storage(lambda _: "stale primary" in why_not(site.second, site.primary_address), "stale",
                              timeout=60)
    code, out, err = run_zrs("status", "--config", site.second.config)
    assert f"not followed {site.primary_address}: " in out, (code, out, err)
    assert site.first.until_streaming()["role"] == "primary"


def test_no_promotion_while_any_of_them_is_the_primary(site):
    code, _, err = promote(site.first)
    assert code == 1
    assert "can be reached" in err
    # One is promoted all the same; then the other one has two addresses that are primaries, one of them stale.
    assert promote(site.first, "--force")[0] == 0
    until_following(site.second, site.first_address, 2)
    site.lose_primary()
    code, _, err = promote(site.second)
    assert code == 1
    assert f"{site.first_address} can be reached" in err
    site.first.kill()
    code, _, err = promote(site.second)
    assert code == 0, err
    assert site.second.until_streaming()["generation"] == 3


def test_in_order(site):
    site.lab.close_client(site.client)
    site.zeo.stop()
    site.primary.stop()
    code, _, err = promote(site.first, "--wait-for-upstream")
    assert code == 0, err
    client = site.lab.client(site.lab.zeo("new-zeo", site.copies[0]))
    db.put(client, "after", "the switch")
    until_identical(*site.copies)
    until_following(site.second, site.first_address, 2)
    # The old primary's host gets the configuration that all have; it goes on from where it is.
    section = config.secondary(site.zeo.path, f"{site.first_address} {site.second_address}",
                               serve_on=site.primary_address)
    site.primary.configure(section)
    site.primary.start()
    db.put(client, "with", "both copies")
    until_identical(site.zeo.path, *site.copies)
    until_following(site.primary, site.first_address, 2)


def test_two_that_were_promoted_without_knowing_of_each_other_both_stop(site):
    site.lose_primary()
    site.second.kill()
    code, _, err = promote(site.first)
    assert code == 0, err
    site.first.kill()
    site.second.start()
    code, _, err = promote(site.second)
    assert code == 0, err
    site.first.start()
    for primary in (site.first, site.second):
        assert primary.until_streaming()["generation"] == 2
    third_copy = site.lab.path("third", "Data.fs")
    section = config.secondary(third_copy, f"{site.first_address} {site.second_address}")
    third = site.lab.sidecar("third", section).start()
    for primary in (site.first, site.second):
        error = primary.until_state("superseded", timeout=60)["error"]
        assert "there are two primaries of" in error["message"]
        assert "zrs promote --force --storage main here" in error["remedy"]
        assert run_zrs("health", "--config", primary.config, "--service", "main")[0] == 1
    told = third.until_storage(lambda s: s["error"] and "decide which" in s["error"]["remedy"], "that it asks")
    assert told["error"]["message"].count("there are two primaries of") >= 2
    code, _, err = promote(site.first, "--force")
    assert code == 0 and site.first.until_streaming()["generation"] == 3, err
    client = site.lab.client(site.lab.zeo("new-zeo", site.copies[0]))
    db.put(client, "after", "the decision")
    until_identical(site.copies[0], third_copy)
    assert run_zrs("demote", "--config", site.second.config)[0] == 0
    db.put(client, "all", "follow")
    until_identical(*site.copies, third_copy)
    until_following(site.second, site.first_address, 3)
