"""Runs in the incumbent's own virtual environment: a zc.zrs primary or secondary on a FileStorage.

    incumbent_process.py primary PATH PORT      on stdin: "commits RATE SECONDS" -> lines "END RETURNED", then "done"
    incumbent_process.py secondary PATH PORT    on stdin: "until TID" -> "done" when it has that transaction
Both say "ready" first and end with their stdin.
"""

import os
import random
import sys
import time

import ZODB
import zc.zrs.primary
import zc.zrs.secondary
from persistent.mapping import PersistentMapping
from ZODB.FileStorage import FileStorage


def _commits(database, path, rate, seconds):
    """As lag.py's: the same sizes, on the same keys."""
    chooser = random.Random(7)
    due = time.monotonic()
    for number in range(int(rate * seconds)):
        with database.transaction() as connection:
            size = chooser.choice([200, 200, 1_000, 5_000, 30_000])
            value = chooser.getrandbits(8 * size).to_bytes(size, "big")
            connection.root()[number % 100] = PersistentMapping(value=value)
        yield os.path.getsize(path), time.monotonic()
        due += 1 / rate
        time.sleep(max(0, due - time.monotonic()))


def _primary(path, port):
    storage = zc.zrs.primary.Primary(FileStorage(path), ("127.0.0.1", port))
    database = None
    print("ready", flush=True)
    for line in sys.stdin:
        _, rate, seconds = line.split()
        database = database or ZODB.DB(storage)
        for end, returned in list(_commits(database, path, float(rate), float(seconds))):
            print(end, returned)
        print("done", flush=True)
    (database or storage).close()


def _secondary(path, port):
    storage = zc.zrs.secondary.Secondary(FileStorage(path), ("127.0.0.1", port), reconnect_delay=1)
    print("ready", flush=True)
    for line in sys.stdin:
        tid = bytes.fromhex(line.split()[1])
        while storage.lastTransaction() < tid:
            time.sleep(0.001)
        print("done", flush=True)
    storage.close()


if __name__ == "__main__":
    (_primary if sys.argv[1] == "primary" else _secondary)(sys.argv[2], int(sys.argv[3]))
