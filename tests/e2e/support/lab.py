"""One test's hosts and processes, in one temporary directory, and their end."""

import os

from . import config
from . import database as db
from .compare import until_identical
from .ports import free_address
from .process import Process
from .sidecar import Sidecar
from .zeo_server import ZeoServer


class Lab:
    """Everything that it makes is stopped by close(), last first."""

    def __init__(self, directory):
        self.directory = directory
        self._closers = []
        self._open_clients = []

    def close(self):
        while self._closers:
            self._closers.pop()()

    def at_close(self, closer):
        self._closers.append(closer)

    def path(self, *parts):
        """A path below the lab's directory, whose directory exists."""
        path = os.path.join(self.directory, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def zeo(self, name="zeo", path=None):
        """A started ZEO server, of a Data.fs of its own or of the one at `path`."""
        server = ZeoServer(os.path.join(self.directory, name), path)
        self.at_close(server.stop)
        return server.start()

    def client(self, server, **options):
        """A ZODB.DB that is closed with the lab."""
        database = server.client(**options)
        self._open_clients.append(database)
        self.at_close(lambda: self.close_client(database))
        return database

    def close_client(self, database):
        """Before the lab does."""
        if database in self._open_clients:
            self._open_clients.remove(database)
            database.close()

    def sidecar(self, name, *sections, **options):
        """A Sidecar that is not yet started."""
        sidecar = Sidecar(name, os.path.join(self.directory, name), *sections, **options)
        self.at_close(sidecar.kill)
        return sidecar

    def process(self, name, command):
        """A started process that is killed with the lab."""
        process = Process(name, command, self.path("logs", name))
        self.at_close(process.kill)
        process.start()
        return process

    def pair(self, path, keys=(), **options):
        """A started primary of `path` and a started secondary, which has these keys (pairs of name and value)."""
        return Pair(self, path, keys, **options).start()

    def synced_pair(self, commits=20):
        """A pair of a new file, which has everything and acknowledged it."""
        path = self.path("primary-data", "Data.fs")
        db.fill(path, commits=commits)
        pair = self.pair(path)
        pair.secondary.until_streaming()
        pair.until_identical()
        assert pair.primary.wait() == 0
        return pair


class Pair:
    """A primary and a secondary sidecar of one file."""

    def __init__(self, lab, path, keys=(), primary_keys=(), listen=None, connect=None, secondary_env=None):
        """`listen` and `connect`: the address as each side writes it, where that is not one on the loopback."""
        self.address = listen or free_address()
        self.path = path
        self.copy = lab.path("secondary", "Data.fs")
        self.primary = lab.sidecar("primary", config.primary(path, self.address, keys=primary_keys))
        self.secondary = lab.sidecar("secondary", config.secondary(self.copy, connect or self.address, keys=keys),
                                     env=secondary_env)

    def start(self):
        self.primary.start()
        self.secondary.start()
        return self

    def until_identical(self, timeout=60):
        """The end of nearly every test: nobody writes any more, and the files are equal."""
        until_identical(self.path, self.copy, timeout=timeout)
