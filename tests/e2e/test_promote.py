"""A secondary is promoted, a real ZEO server opens its file, and the old primary comes back."""

import os
import signal
import subprocess

import pytest
from support import config, contract
from support import database as db
from support.compare import read_bytes, until_identical
from support.indexes import opened
from support.ports import free_address
from support.sidecar import run_zrs
from support.terminal import Terminal
from support.waiting import until


class Site:
    """A ZEO server and its client, a primary, and two secondaries that can serve followers themselves."""

    def __init__(self, lab, keys=()):
        self.lab = lab
        self.zeo = lab.zeo()
        self.client = lab.client(self.zeo)
        self.addresses = [free_address(), free_address()]
        self.copies = [lab.path("first", "Data.fs"), lab.path("second", "Data.fs")]
        self.primary_address = free_address()
        self.primary = lab.sidecar("primary", config.primary(self.zeo.path, self.primary_address)).start()
        self.first, self.second = [
            lab.sidecar(name, config.secondary(copy, self.primary_address, serve_on=address, keys=keys)).start()
            for name, copy, address in zip(("first", "second"), self.copies, self.addresses)]
        for number in range(20):
            db.put(self.client, f"key-{number}", number)
        self.until_all_have_it()

    def until_all_have_it(self):
        until_identical(self.zeo.path, *self.copies)
        assert self.primary.wait("--replicas", "2") == 0

    def stop_in_order(self):
        self.lab.close_client(self.client)
        self.zeo.stop()
        self.primary.stop()

    def lose_primary(self):
        self.zeo.process.kill()
        self.primary.kill()

    def serve(self, path, name="new-zeo"):
        zeo = self.lab.zeo(name, path)
        return zeo, self.lab.client(zeo)

    def second_follows(self, address, **options):
        self.second.stop()
        self.second.configure(config.secondary(self.copies[1], address, **options))
        self.second.start()

    def old_primary_follows(self):
        self.primary.configure(config.secondary(self.zeo.path, self.addresses[0], serve_on=self.primary_address))
        self.primary.start()


@pytest.fixture(name="site")
def _site(lab):
    return Site(lab)


def promote(sidecar, *options):
    return run_zrs("promote", "--config", sidecar.config, *options)


def assert_promoted(sidecar, *options):
    code, out, err = promote(sidecar, *options)
    assert (code, err) == (0, ""), out
    storage = sidecar.until_storage(lambda s: s["state"] == "streaming", "streaming")
    assert storage["role"] == "primary"
    line = out.splitlines()[0]
    assert line == (f"storage main is the primary now: generation {storage['generation']}, "
                    f"{storage['committedEnd']} bytes, last transaction {storage['lastTid']} of "
                    f"{storage['lastTidTime']}")
    return storage


def assert_refused(sidecar, text, *options):
    before = sidecar.storage()
    code, out, err = promote(sidecar, *options)
    assert (code, out) == (1, "")
    assert text in err, err
    after = sidecar.storage()
    assert (after["role"], after["epoch"]) == ("secondary", before["epoch"])


def test_failover(site):
    site.lose_primary()
    storage = assert_promoted(site.first)
    assert storage["generation"] == 2
    zeo, client = site.serve(site.copies[0])
    assert [db.get(client, f"key-{number}") for number in range(20)] == list(range(20))
    db.put(client, "after", "the failover")

    # The other secondary goes on with the new primary, without a copy.
    site.second_follows(site.addresses[0])
    until_identical(site.copies[0], site.copies[1])
    assert not os.path.exists(site.copies[1] + ".old")

    # So does the old primary, which has nothing that the new one has not.
    site.old_primary_follows()
    db.put(client, "and", "back")
    until_identical(zeo.path, site.zeo.path, site.copies[1])
    for sidecar in (site.primary, site.second):
        assert sidecar.until_streaming()["generation"] == 2


def test_switch_over_and_back(site):
    site.stop_in_order()
    assert_promoted(site.first, "--wait-for-upstream")
    zeo, client = site.serve(site.copies[0])
    db.put(client, "after", "the switch")
    site.old_primary_follows()
    until_identical(site.copies[0], site.zeo.path)
    assert site.first.wait("--replicas", "1") == 0

    site.lab.close_client(client)
    zeo.stop()
    site.first.stop()
    assert assert_promoted(site.primary, "--wait-for-upstream")["generation"] == 3
    site.first.start()
    site.first.process.until_logged("is a primary since its promotion")
    assert site.first.storage()["role"] == "primary"
    code, _, err = run_zrs("demote", "--config", site.first.config)
    assert code == 0, err
    _, again = site.serve(site.zeo.path, "again")
    db.put(again, "home", "again")
    until_identical(site.zeo.path, site.copies[0])
    assert site.first.until_streaming()["generation"] == 3
    site.first.restart()
    assert site.first.until_streaming()["role"] == "secondary"


def test_an_old_primary_with_more_is_diverged_and_kept(site):
    site.primary.kill()
    db.put(site.client, "nobody", "has this")
    site.zeo.process.kill()
    assert_promoted(site.first)
    _, client = site.serve(site.copies[0])
    db.put(client, "another", "way")
    old = read_bytes(site.zeo.path)
    site.old_primary_follows()
    storage = site.primary.until_state("diverged")
    assert "promoted at" in storage["error"]["message"]
    assert read_bytes(site.zeo.path) == old
    assert site.first.storage()["state"] == "streaming"


def test_the_upstream_must_be_gone(site):
    assert_refused(site.first, "can be reached (it is being followed)")
    assert_refused(site.first, "can be reached (it is being followed)", "--all")
    db.put(site.client, "still", "followed")
    site.until_all_have_it()
    assert_promoted(site.first, "--force")
    db.put(site.client, "not", "followed")
    until_identical(site.zeo.path, site.copies[1])
    # Whoever is sent to the old primary with a later generation tells it that it is stale.
    site.second_follows(site.addresses[0])
    assert "promoted at" in site.second.until_state("diverged")["error"]["message"]


def test_a_stale_primary_stops_publishing(site):
    assert_promoted(site.first, "--force")
    site.second_follows(site.addresses[0])
    site.second.until_storage(lambda s: s["generation"] == 2, "the new epoch")
    site.second_follows(site.primary_address)
    storage = site.primary.until_state("superseded")
    assert "stale primary" in storage["error"]["message"]
    assert run_zrs("health", "--config", site.primary.config, "--service", "main")[0] == 1


def test_waiting_for_the_upstream(site):
    site.lab.close_client(site.client)
    site.zeo.stop()
    site.primary.kill()
    assert_refused(site.first, "was lost, and not ended in order", "--wait-for-upstream")
    site.primary.start()
    site.first.until_streaming()
    site.primary.stop()
    assert_promoted(site.first, "--wait-for-upstream")


def test_the_fence(lab):
    fence = lab.path("fence", "fence.sh")
    with open(fence, "w", encoding="utf-8") as file:
        file.write(f'echo "$ZRS_STORAGE $ZRS_PATH $ZRS_UPSTREAM" >> {fence}.log; test -e {fence}.ok && exit\n'
                   'echo one-bmc does not answer >&2; exit 3\n')
    site = Site(lab, keys=[("fence-command", f"sh {fence}")])
    assert_refused(site.first, "can be reached")
    assert not os.path.exists(fence + ".log"), "before it is certain that it will be promoted"
    site.lose_primary()
    said = 'the fence-command is no success: it ended with exit code 3, and printed "one-bmc does not answer"'
    assert_refused(site.first, said)
    site.first.process.until_logged(f"storage main: {said}")
    assert read_bytes(fence + ".log").decode() == f"main {site.copies[0]} {site.primary_address}\n"
    with open(fence + ".ok", "w", encoding="utf-8"):
        pass
    assert_promoted(site.first)


def test_the_fence_on_a_terminal(lab):
    """It is told that the command is waited for, and whoever types Ctrl-C that it runs on."""
    fence = lab.path("fence", "fence")
    site = Site(lab, keys=[("fence-command", f"while test ! -e {fence}.end; do sleep 0.1; done; exit 3")])
    site.lose_primary()
    terminal = Terminal(site.first.binary, "promote", "--config", site.first.config)
    try:
        terminal.read_until("storage main: waiting for the fence-command, which runs for [2-9]")
        assert "storages.fencingSince" in contract.known(site.first.status())
        terminal.type(b"\x03")
        assert terminal.exit_code() == -signal.SIGINT
        last_line = terminal.text.rsplit("\033[K", 1)[1].replace("\r\n", "")
        assert last_line.startswith("zrs: the promotion is given up, but the fence-command runs on"), last_line
    finally:
        terminal.close()
    assert "the fence-command runs for" in run_zrs("status", "--config", site.first.config)[1]
    with open(fence + ".end", "w", encoding="utf-8"):
        pass
    site.first.process.until_logged("storage main: the fence-command is no success, of a promotion that was given up: "
                                    "it ended with exit code 3")
    assert site.first.storage()["fencingSince"] is None


def test_the_fence_in_a_script(lab):
    """Whoever interrupts the script is told too."""
    fence = lab.path("fence", "fence")
    site = Site(lab, keys=[("fence-command", f"while test ! -e {fence}.end; do sleep 0.1; done; exit 3")])
    site.lose_primary()

    def interrupted():
        asker = subprocess.Popen([site.first.binary, "promote", "--config", site.first.config],
                                 stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            asker.communicate(timeout=0.5)
        asker.send_signal(signal.SIGINT)
        said = asker.communicate(timeout=30)[1]
        assert asker.returncode == -signal.SIGINT
        return said

    # It knows of the command once it has asked for the status.
    until(lambda: interrupted().startswith("zrs: the promotion is given up, but the fence-command runs on"), "words")
    with open(fence + ".end", "w", encoding="utf-8"):
        pass
    site.first.process.until_logged("storage main: the fence-command is no success, of a promotion that was given up")


def test_the_lock_is_free_for_the_database_only_afterwards(site):
    site.lose_primary()
    with pytest.raises(Exception, match="Couldn't lock"):
        db.open_file(site.copies[0])
    assert_promoted(site.first)
    database = db.open_file(site.copies[0])
    db.put(database, "written", "by a script")
    database.close()
    site.first.until_storage(lambda s: s["committedEnd"] == os.path.getsize(site.copies[0]), "the commit")


def test_clients_that_have_seen_more_are_told_how_to_go_on(site, lab):
    caches = lab.path("caches", "here")
    os.makedirs(caches)
    options = {"client": "app", "var": caches}
    seen = site.zeo.client(**options)
    site.primary.kill()
    db.put(seen, "lost", "at the failover")
    db.get(seen, "lost")
    seen.close()
    site.zeo.process.kill()
    code, out, _ = promote(site.first)
    assert code == 0
    assert "Server behind client" in out
    zeo = lab.zeo("new-zeo", site.copies[0])
    with pytest.raises(Exception):
        zeo.client(**dict(options, wait_timeout=2))
    for name in os.listdir(caches):
        assert ".zec" in name
        os.remove(os.path.join(caches, name))
    client = lab.client(zeo, **options)
    assert db.get(client, "key-19") == 19


def test_of_several_it_says_which_database_is_to_be_started(lab):
    path, address = lab.path("primary-data", "Data.fs"), free_address()
    db.fill(path)
    lab.sidecar("primary", config.primary(path, address)).start()
    sidecar = lab.sidecar("secondary", config.secondary(lab.path("copies", "main.fs"), address, name="main"),
                          config.secondary(lab.path("copies", "other.fs"), free_address(), name="other")).start()
    sidecar.until_storage(lambda s: s["state"] == "streaming", "the copy", name="main")
    code, out, err = promote(sidecar, "--all", "--force")
    assert code == 1 and "storage other is not promoted" in err
    assert "storage main is the primary now" in out
    assert "Start the database on what was promoted (main) now." in out


def test_which_storage(lab):
    addresses = [free_address(), free_address()]
    sections = [config.secondary(lab.path("copies", f"{name}.fs"), address, name=name)
                for name, address in zip(("one", "two"), addresses)]
    sidecar = lab.sidecar("secondary", *sections).start()
    code, _, err = promote(sidecar)
    assert code == 2 and "--storage" in err and "--all" in err
    code, _, err = promote(sidecar, "--storage", "three")
    assert code == 2 and "one, two" in err
    code, _, err = promote(sidecar, "--storage", "one", "--force")
    assert code == 1 and "not complete" in err
    code, _, err = promote(sidecar, "--force", "--wait-for-upstream")
    assert code == 2
    code, _, err = run_zrs("demote", "--config", sidecar.config, "--storage", "one")
    assert code == 1 and "is a secondary" in err
    until(lambda: sidecar.storage("one")["state"] == "connecting", "both as they were")


def test_a_promotion_that_nobody_waits_for_is_given_up(site):
    command = [site.first.binary, "promote", "--config", site.first.config, "--wait-for-upstream"]
    process = site.lab.process("promote", command)
    site.first.process.until_logged("its promotion waits for")
    assert_refused(site.first, "it is being promoted already", "--force")
    process.kill()
    until(lambda: "it is being promoted already" not in promote(site.first)[2], "it to be given up")
    site.primary.stop()
    site.first.until_state("connecting")
    assert site.first.storage()["role"] == "secondary"


def test_the_database_opens_the_file_without_a_scan(site):
    site.lose_primary()
    assert_promoted(site.first)
    begun, positions, _ = opened(site.copies[0])
    assert begun == [os.path.getsize(site.copies[0])]
    os.remove(site.copies[0] + ".index")
    assert positions == opened(site.copies[0])[1]


def test_a_promotion_by_mistake_is_taken_back(site):
    assert_promoted(site.first, "--force")
    zeo, client = site.serve(site.copies[0])
    code, _, err = run_zrs("demote", "--config", site.first.config)
    assert code == 1 and "stop the database first" in err
    assert site.first.storage()["role"] == "primary"
    site.lab.close_client(client)
    zeo.stop()
    assert run_zrs("demote", "--config", site.first.config)[0] == 0
    db.put(site.client, "the right one", "goes on")
    site.until_all_have_it()
    assert site.first.until_streaming()["generation"] == 1
    assert site.primary.storage()["state"] == "streaming"


def test_a_superseded_primary_that_is_the_right_one(site):
    assert_promoted(site.first, "--force")
    site.second_follows(site.addresses[0])
    site.second.until_storage(lambda s: s["generation"] == 2, "the new epoch")
    site.second_follows(site.primary_address)
    site.primary.until_state("superseded")
    site.primary.restart()
    site.primary.until_state("superseded")
    assert assert_promoted(site.primary, "--force")["generation"] == 3
    assert run_zrs("demote", "--config", site.first.config)[0] == 0
    db.put(site.client, "all", "follow")
    site.until_all_have_it()


def test_a_superseded_primary_that_was_promoted_is_demoted(site):
    site.lose_primary()
    assert_promoted(site.first)
    site.second_follows(site.addresses[0], serve_on=site.addresses[1])
    site.second.until_storage(lambda s: s["generation"] == 2, "the new epoch")
    assert_promoted(site.second, "--force")
    site.primary.configure(config.secondary(site.zeo.path, site.addresses[1]))
    site.primary.start()
    site.primary.until_storage(lambda s: s["generation"] == 3, "the newest epoch")
    site.primary.stop()
    site.old_primary_follows()
    assert "zrs demote --storage main here" in site.first.until_state("superseded")["error"]["remedy"]
    assert run_zrs("demote", "--config", site.first.config, "--storage", "main")[0] == 0
    assert site.first.storage()["role"] == "secondary"


def test_a_promotion_is_known_at_the_end_of_a_chain(site, lab):
    copy = lab.path("last", "Data.fs")
    last = lab.sidecar("last", config.secondary(copy, site.addresses[1])).start()
    until_identical(site.zeo.path, copy)
    site.lose_primary()
    assert_promoted(site.first)
    site.second_follows(site.addresses[0], serve_on=site.addresses[1])
    _, client = site.serve(site.copies[0])
    db.put(client, "after", "the failover")
    until_identical(site.copies[0], site.copies[1], copy)
    site.second.restart()
    last.until_storage(lambda s: s["state"] == "streaming" and s["generation"] == 2, "the new epoch")
