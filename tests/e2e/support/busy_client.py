"""A ZEO client that commits until it is killed, whatever happens to its server: python busy_client.py PORT SEED

Its objects are few, so that a pack makes the file small again.
"""

import random
import sys

import transaction
import ZEO
from persistent.mapping import PersistentMapping
from ZODB.POSException import POSError

_SIZES = (100, 100, 2_000, 2_000, 20_000, 150_000)


def change_something(database, chance):
    with database.transaction("busy") as connection:
        slots = connection.root().setdefault("busy", PersistentMapping())
        slot = slots.setdefault(chance.randrange(60), PersistentMapping())
        slot["data"] = chance.randbytes(chance.choice(_SIZES))


def undo_something(database, chance):
    done = database.undoInfo(0, 20, specification={"description": "busy"})
    if done:
        database.undo(chance.choice(done)["id"])
        transaction.commit()


def main():
    port, seed = int(sys.argv[1]), sys.argv[2]
    chance = random.Random(seed)
    database = ZEO.DB(("127.0.0.1", port), wait_timeout=3600)
    while True:
        try:
            (undo_something if chance.random() < 0.03 else change_something)(database, chance)
        except POSError:  # a conflict, an undo that is not possible any more, no server
            transaction.abort()


if __name__ == "__main__":
    main()
