"""A small application that keeps committing through ZEO: what a content site does to its database, all day long.

    writer.py HOST:PORT --progress FILE [--rate COMMITS_PER_SECOND]

Ends at SIGTERM after the commit under way, with exit code 0. FILE holds the number of commits so far.
"""

import argparse
import os
import random
import signal
import sys
import threading

import transaction
import ZEO
from BTrees.OOBTree import OOBTree
from persistent import Persistent
from persistent.mapping import PersistentMapping
from ZODB.POSException import ConflictError, UndoError

SETUP = "set the site up"


class Document(Persistent):
    """One page of content; its text is a record of its own, as in most applications."""

    def __init__(self, title, text):
        self.title = title
        self.text = PersistentMapping(body=text, revision=0)


class Site:
    """The application's data and the things that its users do."""

    def __init__(self, database, random_source):
        self._database = database
        self._random = random_source
        with database.transaction(SETUP) as connection:
            root = connection.root()
            if "documents" not in root:
                root["documents"] = OOBTree()
                root["catalog"] = OOBTree()
                root["visits"] = PersistentMapping(count=0)

    def step(self):
        """One commit, of a kind chosen as often as a site sees it."""
        weights = {self.visit: 40, self.edit: 30, self.add: 22, self.upload: 3, self.remove: 3, self.undo: 2}
        self._random.choices(list(weights), list(weights.values()))[0]()

    def _text(self, size):
        words = [f"{self._random.getrandbits(40):x}" for _ in range(max(1, size // 20))]
        return (" ".join(words) + " ") * 2

    def _commit(self, note, change):
        with self._database.transaction(note) as connection:
            change(connection.root())

    def visit(self):
        def change(root):
            root["visits"]["count"] += 1
        self._commit("visit", change)

    def add(self):
        def change(root):
            name = f"document-{self._random.getrandbits(48):012x}"
            document = Document(name, self._text(self._random.choice([300, 2_000, 2_000, 12_000, 60_000])))
            root["documents"][name] = document
            for word in document.text["body"].split()[:6]:
                root["catalog"][word] = name
        self._commit("add a document", change)

    def edit(self):
        def change(root):
            name = self._some_name(root)
            if name is not None:
                text = root["documents"][name].text
                text["revision"] += 1
                text["body"] = self._text(self._random.choice([300, 2_000, 12_000]))
        self._commit("edit a document", change)

    def upload(self):
        def change(root):
            name = f"image-{self._random.getrandbits(48):012x}"
            root["documents"][name] = Document(name, self._random.randbytes(self._random.randint(200_000, 1_500_000)))
        self._commit("upload an image", change)

    def remove(self):
        def change(root):
            name = self._some_name(root)
            if name is not None:
                del root["documents"][name]
        self._commit("remove a document", change)

    def undo(self):
        last = self._database.undoLog(0, 1)
        # Without what the setup made there would be no site.
        if last and last[0]["description"] != SETUP:
            self._database.undo(last[0]["id"])
            transaction.commit()

    def _some_name(self, root):
        names = root["documents"]
        if not names:
            return None
        wanted = f"document-{self._random.getrandbits(48):012x}"
        return next(iter(names.keys(min=wanted)), None) or names.minKey()


def write_progress(path, commits):
    """Replaces the file at once: a reader never sees half a number."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{commits}\n")
    os.replace(path + ".new", path)


def write(database, progress, rate, stop):
    """Commits until `stop` is set."""
    site = Site(database, random.Random())
    commits = 0
    while not stop.is_set():
        try:
            site.step()
            commits += 1
        except (ConflictError, UndoError):
            transaction.abort()
        if commits % 10 == 0:
            write_progress(progress, commits)
        stop.wait(random.expovariate(rate))
    write_progress(progress, commits)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--progress", required=True)
    parser.add_argument("--rate", type=float, default=100.0)
    arguments = parser.parse_args()
    host, port = arguments.address.rsplit(":", 1)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    database = ZEO.DB((host, int(port)), wait_timeout=5)
    try:
        write(database, arguments.progress, arguments.rate, stop)
    finally:
        # Also when the server went away: the connection's thread would keep the process.
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
