"""Three hosts of one database, any of which can be its primary."""

import contextlib
import os
import sys
import threading

from application import Application
from cluster import BUSY_CLIENT, PRIMARY_KEYS, SECONDARY_KEYS, sidecar
from history import Copy
from support import config, raw_file_storage
from support.compare import read_bytes, same_beginning, size_of, until_identical
from support.faulty_link import FaultyLink
from support.ports import free_address
from support.process import Process
from support.sidecar import run_zrs
from support.waiting import until, until_or_late
from support.zeo_server import ZeoServer
from ZODB.POSException import POSError


class Host:
    """A data file, a ZEO server for it that is not always started, a sidecar, and its link to another host's."""

    def __init__(self, lab, name):
        self.name = name
        self.path = lab.path(f"{name}-data", "Data.fs")
        self.address = free_address()
        self.link = FaultyLink(self.address)
        lab.at_close(self.link.close)
        self.zeo = ZeoServer(os.path.join(lab.directory, f"{name}-zeo"), self.path)
        lab.at_close(self.zeo.stop)
        self.sidecar = sidecar(lab, name)
        self._moved = 0

    def command(self, *arguments):
        code, out, err = run_zrs(*arguments, "--config", self.sidecar.config)
        return code == 0, out + err

    def follow(self, other):
        """From its next start on."""
        self.link.point_at(other.address)
        keys = SECONDARY_KEYS
        self.sidecar.configure(config.secondary(self.path, self.link.address, serve_on=self.address, keys=keys))

    def start_as_secondary(self):
        self.sidecar.start()
        storage = self.sidecar.until_storage(lambda s: s["state"] != "starting", "its role")
        if storage["role"] == "primary":  # since its own promotion
            demoted, said = self.command("demote")
            assert demoted, said

    def committed_end(self):
        return raw_file_storage.committed_end(self.path)

    def last_tid(self):
        committed = [tid for _, tid, status, _ in raw_file_storage.transactions(self.path) if status != b"c"]
        return max(committed, default=b"")

    def number(self):
        return Copy(self.name, self.path).number()

    def start_anew(self):
        """As deploy/failover.md says of a host that is diverged."""
        self.sidecar.stop()
        state = os.path.join(self.sidecar.state_dir, "main.state")
        self._moved += 1
        for path in (self.path, state):
            os.rename(path, f"{path}.from-before-{self._moved}")
        if os.path.exists(self.path + ".index"):
            os.remove(self.path + ".index")
        self.sidecar.start()


class Database:
    """The hosts, of which `primary` serves the clients."""

    def __init__(self, lab, seed):
        self._lab = lab
        self._seed = seed
        self.hosts = [Host(lab, name) for name in ("one", "two", "three")]
        self.primary = self.hosts[0]
        self.primary.sidecar.configure(config.primary(self.primary.path, self.primary.address, keys=PRIMARY_KEYS))
        self.generation = 1
        self.serve()
        self.primary.sidecar.start()
        for host in self.secondaries():
            host.follow(self.primary)
            host.sidecar.start()
        self.until_all_have_it()

    def secondaries(self):
        return [host for host in self.hosts if host is not self.primary]

    def serve(self):
        """ZEO on the primary's file, and clients; the application goes on with the number that it finds."""
        self.primary.zeo.start()
        client = self._lab.client(self.primary.zeo, wait_timeout=2)
        self.application = Application(client, self.primary.sidecar)
        with client.transaction() as connection:
            self.application.committed = connection.root().get("number", 0)
        self.application.start()
        self._lab.at_close(self.application.stop)
        self.client = client
        self.busy = Process("client", [sys.executable, BUSY_CLIENT, str(self.primary.zeo.port), str(self._seed)],
                            self._lab.path("client.log"))
        self._lab.at_close(self.busy.kill)
        self.busy.start()

    def pack(self):
        """All follow it before the next primary is lost."""
        inodes = {host: os.stat(host.path).st_ino for host in self.hosts}
        self.client.pack()
        until(lambda: all(os.stat(host.path).st_ino != inode for host, inode in inodes.items()), "the packed files")
        for host in self.hosts:
            host.sidecar.until_streaming()

    def begin_pack(self, chance):
        """Until one of the files is at some stage of it."""
        host = chance.choice(self.hosts)
        inode = os.stat(host.path).st_ino
        thread = threading.Thread(target=self._pack)
        thread.start()
        self._lab.at_close(thread.join)
        new = host.path + (".pack" if host is self.primary else ".zrs-new")
        wanted = chance.choice((1, 500_000, 1_000_000_000))
        until_or_late(lambda: size_of(new) > wanted or _has_other_file(host, inode), 2, interval=0.0005)

    def _pack(self):
        with contextlib.suppress(POSError):  # the server is lost
            self.client.pack()

    def lose_primary(self, chance):
        processes = [self.primary.zeo.process, self.primary.sidecar.process]
        for process in chance.sample(processes, 2):
            process.kill()
        self.busy.kill()
        self.application.stop()
        self._lab.close_client(self.client)
        if not os.path.exists(self.primary.path):  # ZODB's pack has two renames
            os.rename(self.primary.path + ".old", self.primary.path)

    def promote(self, host, chance):
        """Also where its sidecar is killed meanwhile. Returns where its file ended."""
        if chance.random() < 0.3:
            process = self._lab.process("promote", [host.sidecar.binary, "promote", "--config", host.sidecar.config])
            end = host.committed_end()
            until(lambda: chance.random() < 0.2 or not process.running(), "a moment", interval=0.001)
            host.sidecar.kill()
            process.exit_code()
            host.sidecar.start()
            assert host.committed_end() >= end
        last = []

        def done():
            last[:] = host.command("promote") if host.sidecar.storage()["role"] == "secondary" else (True, "before")
            return last[0]

        until(done, lambda: f"{host.name} to be promoted: {last}\n{host.sidecar.process.log_tail()}")
        self.primary = host
        self.generation += 1
        storage = host.sidecar.until_streaming()
        assert storage["generation"] == self.generation, storage
        assert storage["committedEnd"] == host.committed_end() == os.path.getsize(host.path)
        self.fork_tid = host.last_tid()
        return storage["committedEnd"]

    def follow_the_new_one(self, host, fork, chance):
        """Diverged exactly where it has what the new primary has not; then it is given a new copy."""
        end = host.committed_end()
        may = self._states_that_may_be(host, end, fork)
        if host.sidecar.process.running():
            chance.choice((host.sidecar.stop, host.sidecar.kill))()
        host.follow(self.primary)
        committed = read_bytes(host.path)[:end]
        host.start_as_secondary()
        storage = host.sidecar.until_state("streaming", "diverged", "stopped")
        assert storage["state"] in may, f"{host.name} at {end}, fork at {fork}: {storage}"
        if storage["state"] != "streaming":
            assert read_bytes(host.path) == committed, "less or more than the tail that nobody has committed was cut"
            host.start_anew()
        has_more = "streaming" not in may
        return f"{storage['state']} with{'' if has_more else 'out'} more{'' if len(may) == 1 else ', after a pack'}"

    def _states_that_may_be(self, host, end, fork):
        if same_beginning(host.path, self.primary.path, min(end, fork)):
            return ("diverged",) if end > fork else ("streaming",)
        # One of them has followed a pack that the other has not: what is proved then depends on what is remembered. An
        # old primary whose sidecar was lost before it had looked at its own pack is told to begin anew.
        lost = ("diverged", "stopped")
        return lost if host.last_tid() > self.fork_tid else ("streaming", *lost)

    def until_all_have_it(self):
        self.busy.kill()
        self.application.stop()
        until_identical(self.primary.path, *(host.path for host in self.secondaries()))
        for host in self.hosts:
            storage = host.sidecar.until_streaming()
            assert storage["generation"] == self.generation and not storage["error"], storage
            healthy, said = host.command("health")
            assert healthy, said
            assert host.number() in (self.application.committed, self.application.committed + 1)
        self._lab.close_client(self.client)
        self.primary.zeo.stop()
        self.serve()


def _has_other_file(host, inode):
    return os.path.exists(host.path) and os.stat(host.path).st_ino != inode
