"""A client that counts, and keeps what `zrs wait` has promised about what it counted."""

import threading

from support.sidecar import run_zrs
from ZODB.POSException import POSError


class Application:
    """Commits numbers one after the other, and asks `zrs wait` for some of them, until it is stopped.

    `promised`: by a number of followers, the last number that as many of them have.
    """

    def __init__(self, client, primary):
        self._client = client
        self._primary = primary
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure = None
        self.committed = 0
        self.promised = {}

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stop.set()
        self._thread.join()
        assert self._failure is None, self._failure

    def _run(self):
        try:
            while not self._stop.is_set():
                if self._commit(self.committed + 1):
                    self.committed += 1
                    self._ask(1 + self.committed % 2, self.committed)
        except Exception as error:  # pylint: disable=broad-except
            self._failure = error

    def _commit(self, number):
        try:
            with self._client.transaction(f"number {number}") as connection:
                connection.root()["number"] = number
            return True
        except POSError:  # a conflict, or no server
            return False

    def _ask(self, replicas, number):
        code, _, _ = run_zrs("wait", "--config", self._primary.config, "--replicas", str(replicas), "--timeout", "0.5")
        if code == 0:
            self.promised[replicas] = number
