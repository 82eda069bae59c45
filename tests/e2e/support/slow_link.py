"""A connection that lets only so much through."""

import os
import select
import socket
import threading

from .lab import Pair
from .ports import free_address, free_port


class SlowLink:
    """Listens on `address` and passes everything on to `target`, but from there no more than `allowance` bytes.

    allow() lets more through. Counts the bytes that each side has said.
    """

    def __init__(self, target, allowance):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._lock = threading.Lock()
        self._left = allowance
        self.from_follower = 0
        self.from_target = 0
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def allow(self, more=float("inf")):
        """So many bytes from now on, whatever was left."""
        with self._lock:
            self._left = more

    def close(self):
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self):
        while not self._closing.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                follower, _ = self._listener.accept()
                thread = threading.Thread(target=self._relay, args=(follower,))
                self._threads.append(thread)
                thread.start()

    def _relay(self, follower):
        try:
            with follower, socket.create_connection(self._target) as upstream:
                while not self._closing.is_set() and self._pass_on(follower, upstream):
                    pass
        except OSError:  # either side is gone, and so is the link
            pass

    def _pass_on(self, follower, upstream):
        """What one of them has said by now; False at its end."""
        sources = [follower] + ([upstream] if self._left > 0 else [])
        for source in select.select(sources, [], [], 0.05)[0]:
            data = self._take(source) if source is upstream else source.recv(65536)
            if data is None:
                continue
            if source is follower:
                self.from_follower += len(data)
            if not data:
                return False
            (upstream if source is follower else follower).sendall(data)
        return True

    def _take(self, upstream):
        """What it says, as far as that is allowed; None where nothing is any more."""
        with self._lock:
            if self._left <= 0:
                return None
            data = upstream.recv(min(65536, self._left))
            self._left -= len(data)
            self.from_target += len(data)
            return data


def behind_a_slow_link(lab, path, allowance=float("inf"), **options):
    """A started Pair of which the secondary gets no more than so many bytes of the primary's, and the link."""
    address = free_address()
    link = SlowLink(address, allowance)
    lab.at_close(link.close)
    pair = Pair(lab, path, listen=address, connect=link.address, **options)
    pair.primary.start()
    # Until it has looked through its file it welcomes followers with less.
    pair.primary.until_storage(lambda s: s["committedEnd"] == os.path.getsize(path), "the whole file")
    pair.secondary.start()
    return pair, link
