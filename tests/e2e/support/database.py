"""Writing to a database the way applications do: through ZODB on a file of our own, or through ZEO."""

import random
import threading

import transaction
import ZODB.FileStorage
from persistent.mapping import PersistentMapping
from ZODB.POSException import ConflictError


def open_file(path):
    """A ZODB.DB on a FileStorage in this process; the caller closes it."""
    return ZODB.DB(ZODB.FileStorage.FileStorage(path))


def put(database, key, value, note=""):
    """One commit: an object of its own with the value, and the root's record that names it."""
    with database.transaction(note) as connection:
        connection.root()[key] = PersistentMapping(value=value)


def get(database, key):
    with database.transaction() as connection:
        return connection.root()[key]["value"]


def fill(path, commits=20, size=1000):
    """Makes a database of some commits at `path`, and closes it."""
    database = open_file(path)
    for number in range(commits):
        put(database, f"key-{number}", random.randbytes(size), f"commit {number}")
    database.close()


class Writers:
    """Threads that commit until they are stopped, each on its own part of the database and all on a shared counter."""

    def __init__(self, database, threads=1, sizes=(100, 1_000, 20_000)):
        self._database = database
        self._sizes = sizes
        self._stop = threading.Event()
        self._failures = []
        self.commits = [0] * threads
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self._failures, self._failures

    def total(self):
        return sum(self.commits)

    def _run(self, number):
        own_random = random.Random(number)
        manager = transaction.TransactionManager()
        connection = self._database.open(manager)
        try:
            while not self._stop.is_set():
                self._commit(number, manager, connection.root(), own_random)
        except Exception as error:  # pylint: disable=broad-except
            self._failures.append(error)
        finally:
            manager.abort()
            connection.close()

    def _commit(self, number, manager, root, own_random):
        try:
            with manager:
                mine = root.setdefault(f"thread-{number}", PersistentMapping())
                slot = mine.setdefault(own_random.randrange(50), PersistentMapping())
                slot["data"] = own_random.randbytes(own_random.choice(self._sizes))
                if own_random.random() < 0.1:
                    root["counter"] = root.get("counter", 0) + 1
            self.commits[number] += 1
        except ConflictError:
            manager.abort()


class FailAfterVote:
    """A participant of a transaction that votes after the storage did, and says no."""

    class No(Exception):
        pass

    def __init__(self, manager):
        self.transaction_manager = manager

    def sortKey(self):
        return "~last"

    def tpc_vote(self, _):
        raise self.No()

    def _nothing(self, _):
        pass

    abort = tpc_begin = commit = tpc_abort = tpc_finish = _nothing


def abort_after_vote(database, key, value):
    """A transaction that reaches the file's end with status 'c' and is taken back."""
    manager = transaction.TransactionManager()
    connection = database.open(manager)
    try:
        connection.root()[key] = value
        manager.get().join(FailAfterVote(manager))
        try:
            manager.commit()
        except FailAfterVote.No:
            manager.abort()
        else:
            raise AssertionError("the transaction was to fail")
    finally:
        connection.close()
