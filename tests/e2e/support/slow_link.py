"""A connection that lets only so much through."""

import os
import select

from .lab import Pair
from .link import Link
from .ports import free_address


class SlowLink(Link):
    """From the target no more than `allowance` bytes pass; allow() lets more through. Counts the bytes that each side
    has said."""

    def __init__(self, target, allowance):
        self._left = allowance
        self.from_follower = 0
        self.from_target = 0
        super().__init__(target)

    def allow(self, more=float("inf")):
        """So many bytes from now on, whatever was left."""
        with self._lock:
            self._left = more

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
