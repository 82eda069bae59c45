"""A writer that is killed between vote and finish: python die_after_vote.py PATH SIZE

Leaves a whole transaction with status 'c' at the end of the FileStorage PATH, and ends with exit code 9.
"""

import os
import sys

import transaction
import ZODB.FileStorage


def main():
    path, size = sys.argv[1], int(sys.argv[2])
    database = ZODB.DB(ZODB.FileStorage.FileStorage(path))
    database.storage.tpc_finish = lambda *_: os._exit(9)  # pylint: disable=protected-access
    connection = database.open()
    connection.root()["never committed"] = os.urandom(size)
    transaction.commit()


if __name__ == "__main__":
    main()
