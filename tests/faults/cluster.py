"""A database that is written to all the time, its sidecar, and a tree of copies behind links that can be spoiled."""

import contextlib
import os
import sys
import threading

from application import Application
from history import Copy, History
from support import config
from support.compare import size_of, until_identical
from support.faulty_link import FaultyLink
from support.ports import free_address
from support.process import Process
from support.sidecar import run_zrs
from support.small_disk import as_seen_by, kept_small_disk
from support.waiting import until, until_or_late
from ZODB.POSException import POSError

BUSY_CLIENT = os.path.join(os.path.dirname(config.__file__), "busy_client.py")

# So that what is noticed or tried again after a while takes no longer than a round.
_SIDECAR_KEYS = [("stop-timeout", "2s")]
PRIMARY_KEYS = [("keep-alive-delay", "200ms"), ("poll-interval", "200ms")]
SECONDARY_KEYS = [("keep-alive-delay", "200ms"), ("reconnect-delay", "500ms")]
_LASTING = ("diverged", "stopped", "superseded")
_PACKED_AT = 15_000_000
# By then it must be: the small disk has room for such a file, the one before, the next one, and what is committed while
# a copy is waited for.
_PACKED_BY = 40_000_000


def sidecar(lab, name, *sections):
    return lab.sidecar(name, *sections, keys=_SIDECAR_KEYS)


class Cluster:
    """Copies `first` (on a small disk of its own) and `second` of the primary, and `last` of the first one's."""

    def __init__(self, lab, seed):
        self._lab = lab
        self.zeo = lab.zeo()
        self.client = Process("client", [sys.executable, BUSY_CLIENT, str(self.zeo.port), str(seed)],
                              lab.path("client.log"))
        lab.at_close(self.client.kill)
        self._packer = threading.Thread()
        self._make_sidecars()
        self.history = History(lab, self.zeo.path)
        self.application = Application(lab.client(self.zeo), self.primary).start()
        lab.at_close(self.application.stop)
        self.client.start()

    def _make_sidecars(self):
        address, first_address = free_address(), free_address()
        self.primary = sidecar(self._lab, "primary", config.primary(self.zeo.path, address, keys=PRIMARY_KEYS))
        self.links, self.copies, self.secondaries = {}, {}, {}
        for name, upstream, serve_on in (("first", address, first_address), ("second", address, None),
                                         ("last", first_address, None)):
            link = self.links[name] = FaultyLink(upstream)
            self._lab.at_close(link.close)
            self.copies[name] = Copy(name, self._lab.path(f"{name}-data", "Data.fs"))
            self.secondaries[name] = sidecar(self._lab, name, config.secondary(
                self.copies[name].path, link.address, serve_on=serve_on, keys=SECONDARY_KEYS))
        self._put_on_a_small_disk("first")
        self.sidecars = [self.primary, *self.secondaries.values()]
        for each in self.sidecars:
            each.start()

    def _put_on_a_small_disk(self, name):
        copy = self.copies[name]
        self.small_directory = os.path.dirname(copy.path)
        self.small_disk, prefix = kept_small_disk(self._lab, self.small_directory, "1g")
        self.secondaries[name].process.use_prefix(prefix)
        copy.path = as_seen_by(self.small_disk, copy.path)

    def work(self, chance):
        """Lets so much be committed, where that is possible now; at times until a silence is noticed."""
        size, patience = chance.choice(((1, 0.5), (1, 0.5), (100_000, 0.5), (1_000_000, 0.5), (1_000_000_000, 4)))
        wanted = size_of(self.zeo.path) + size
        until_or_late(lambda: size_of(self.zeo.path) >= wanted, patience)

    # Packs.

    def wants_a_pack(self, chance):
        size = size_of(self.zeo.path)
        return size > _PACKED_BY or (size > _PACKED_AT and chance.random() < 0.5)

    def begin_pack(self):
        """All copies must have followed the one before: those that have not may, as documented, be lost to it."""
        self.history.note()
        self._packer = threading.Thread(target=self._pack)
        self._packer.start()

    def _pack(self):
        """As far as the server lives."""
        with contextlib.suppress(POSError), contextlib.closing(self.zeo.client()) as database:
            database.pack()

    # What must be true.

    def check(self):
        """At every moment, whatever has happened."""
        promised = dict(self.application.promised)
        for copy in self.copies.values():
            copy.check(self.history)
        numbers = {name: copy.number() for name, copy in self.copies.items()}
        direct = sorted((numbers["first"], numbers["second"]), reverse=True)
        for replicas, number in promised.items():
            assert direct[replicas - 1] >= number, f"{number} was promised to be in {replicas} copies: {numbers}"

    def check_that_all_run(self):
        for process in (self.zeo.process, self.client, *(each.process for each in self.sidecars)):
            assert process.running(), f"{process.name} has ended\n{process.log_tail()}"

    def until_well(self):
        """Every copy streams in the primary's epoch."""
        until(lambda: not self._packer.is_alive(), "the pack to end")
        self.history.note()
        until(self._all_stream, self._describe, timeout=60)
        until(self._same_epoch, lambda: f"one epoch: {self._describe()}", timeout=60)

    def _all_stream(self):
        storages = [each.storage() for each in self.sidecars]
        return all(each["state"] == "streaming" and not each["error"] for each in storages)

    def _describe(self):
        """What holds one up is often to be seen at another."""
        return "\n".join(f"{each.name}: {each.storage()}\n{each.process.log_tail()}" for each in self.sidecars)

    def _same_epoch(self):
        storages = [each.storage() for each in self.sidecars]
        lasting = [each for each in storages if each["state"] in _LASTING]
        assert not lasting, f"{lasting} of {storages}"
        return len({each["epoch"] for each in storages}) == 1

    def finish(self):
        """Nobody writes any more, and all is as if nothing had happened."""
        self.application.stop()
        self.client.kill()
        self.until_well()
        until_identical(self.zeo.path, *(copy.path for copy in self.copies.values()))
        assert self.primary.wait("--replicas", "2") == 0
        self.until_well()
        for each in self.sidecars:
            code, out, err = run_zrs("health", "--config", each.config)
            assert code == 0, f"{each.name}: {out}{err}"
        self.check()
        assert {copy.number() for copy in self.copies.values()} <= {self.application.committed,
                                                                    self.application.committed + 1}
