"""deploy/switch-over.md and deploy/failover.md: what they tell to type, with real ZEO servers and a real ZEO client."""

import os
import signal

import pytest
from support.compare import read_bytes
from support.runbook import Page
from support.site import Site
from support.waiting import until


@pytest.fixture(name="switch_over")
def fixture_switch_over():
    return Page("switch-over.md")


@pytest.fixture(name="failover")
def fixture_failover():
    return Page("failover.md")


@pytest.fixture(name="site")
def fixture_site(lab, switch_over):
    return Site(lab, switch_over.files)


def until_roles(generation, primary, *secondaries):
    for host in (primary, *secondaries):
        wanted = ("streaming", "primary" if host is primary else "secondary", generation)
        host.sidecar.until_storage(lambda s, wanted=wanted: (s["state"], s["role"], s["generation"]) == wanted, wanted)


def assert_nothing_was_copied_anew(host, inode):
    assert os.stat(host.data).st_ino == inode
    assert not os.path.exists(host.data + ".old")


def test_switch_over(site, switch_over):
    site.start()
    inode = os.stat(site.one.data).st_ino
    committed = site.app.keys()
    site.follow(switch_over, "Before")
    site.follow(switch_over, "The switch")
    assert site.app.keys() == committed
    site.app.put("after", "the switch")
    site.follow(switch_over, "The way back in")
    site.app.put("with", "a second copy")
    site.until_identical(site.two, site.one, site.three)
    until_roles(2, site.two, site.one, site.three)
    assert_nothing_was_copied_anew(site.one, inode)

    site.follow(switch_over, "And back")
    site.app.put("home", "again")
    site.until_identical(site.one, site.two, site.three)
    until_roles(3, site.one, site.two, site.three)
    assert site.app.keys() == committed | {"after", "with", "home"}
    switch_over.assert_all_run()


def lose(host):
    """All at once, as by a power cut."""
    host.zeo.process.kill()
    host.background.end()


def test_failover_without_a_loss(site, switch_over, failover):
    site.start()
    inode = os.stat(site.one.data).st_ino
    committed = site.app.keys()
    lose(site.one)
    site.follow(failover, "The failover")
    assert site.app.keys() == committed
    site.app.put("after", "the failover")
    failover.skip("The clients")
    until_roles(2, site.two, site.three)
    site.follow(failover, "When host one is back")
    site.app.put("with", "both copies")
    site.until_identical(site.two, site.one, site.three)
    until_roles(2, site.two, site.one, site.three)
    assert_nothing_was_copied_anew(site.one, inode)

    switch_over.skip("Before", "The switch", "The way back in")
    site.follow(switch_over, "And back")
    site.app.put("home", "again")
    site.until_identical(site.one, site.two, site.three)
    until_roles(3, site.one, site.two, site.three)
    assert site.app.keys() == committed | {"after", "with", "home"}


class Fence:
    """The documented command on `two`, whose program powers off what of `one` still runs: its ZEO server."""

    def __init__(self, site, failover):
        [self._setting] = failover.settings
        self._log = os.path.join(site.two.root, "fence.log")
        self._site = site
        site.configure(site.two, self._setting)

    def arm(self):
        pid = self._site.one.zeo.process.pid
        self._site.two.put_program("ipmitool", f'echo "$@" >> {self._log}\nkill -KILL {pid}')

    def was_called(self):
        return os.path.exists(self._log)

    def assert_called_as_documented(self):
        words = read_bytes(self._log).decode().split()
        documented = self._setting.split()[2:]
        assert len(words) == len(documented)
        assert all(word.endswith(meant) for word, meant in zip(words, documented))


def only_the_database_goes_on(site):
    """The network between the hosts breaks, and the application commits what nobody but `one` ever gets."""
    site.one.background.end()
    site.app.put("lost", "at the failover")
    assert "lost" in site.app.keys()


def assert_last_transaction_is_told(printed, host):
    storage = host.sidecar.until_streaming()
    assert f"{storage['committedEnd']} bytes, last transaction {storage['lastTid']} of" in printed
    assert "Server behind client" in printed


def test_failover_that_loses_commits(site, failover, caplog):
    fence = Fence(site, failover)
    site.start()
    fence.arm()
    committed = site.app.keys()
    assert site.two.shell("zrs promote").returncode == 1, "refused while the primary answers"
    assert not fence.was_called()
    only_the_database_goes_on(site)

    assert_last_transaction_is_told(site.follow(failover, "The failover"), site.two)
    fence.assert_called_as_documented()
    assert site.one.zeo.process.exit_code() == -signal.SIGKILL
    lost = read_bytes(site.one.data)
    until(lambda: "Server behind client" in caplog.text, "the application to refuse the new server")
    site.follow(failover, "The clients")
    assert site.app.keys() == committed
    site.app.put("after", "the failover")

    until_roles(2, site.two, site.three)
    site.follow(failover, "When host one is back")
    assert site.one.sidecar.until_state("diverged")["error"]
    assert read_bytes(site.one.data) == lost
    site.follow(failover, "When it is diverged")
    site.app.put("with", "new copies")
    site.until_identical(site.two, site.one, site.three)
    until_roles(2, site.two, site.one, site.three)
    saved = read_bytes(site.one.data + ".tr0")
    assert saved and lost.endswith(saved)
    assert site.app.keys() == committed | {"after", "with"}
    failover.assert_all_run()
