"""A connection to which happens what networks do to connections."""

import dataclasses
import select
import socket
import struct
import threading
from collections.abc import Callable

from .link import Link

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class FaultyLink(Link):
    """Cut, reset, closed on one side, stalled, or with a piece of what is said truncated or changed by one bit.

    `spoiled_pieces`: to how many that has happened.
    """

    def __init__(self, target):
        self._flowing = threading.Event()
        self._flowing.set()
        self._closed_for = set()
        self._spoiled = None
        self._loses_windows = False
        self._losing = None
        self.spoiled_pieces = 0
        super().__init__(target)

    def reset(self):
        """Ends every connection as a host does that knows nothing of it."""
        for pair in self.connections():
            for each in pair:
                _ignoring_its_end(each.setsockopt, socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                _ignoring_its_end(each.shutdown, socket.SHUT_RD)

    def half_close(self, follower):
        """Tells one side, the follower or else its upstream, that the other one has finished; it may still speak."""
        for pair in self.connections():
            ended = pair[0 if follower else 1]
            with self._lock:
                self._closed_for.add(ended)
            _ignoring_its_end(ended.shutdown, socket.SHUT_WR)

    def stall(self):
        """All connections stay, and new ones are taken, but nothing passes until heal()."""
        self._flowing.clear()

    def truncate(self, from_follower, after):
        """Of the piece that comes after so many others from that side the first half passes; then the connection is
        cut."""
        self._spoiled = _Spoiled(from_follower, 0, after, lambda data: data[:len(data) // 2], goes_on=False)

    def flip_bit(self, from_follower, after, where, least=0):
        """`where`: a bit's place in the piece, from 0 to 1; pieces of less than `least` bytes are left alone."""
        self._spoiled = _Spoiled(from_follower, least, after, lambda data: _with_a_flipped_bit(data, where))

    def lose_windows(self):
        """Of the next connection: the words by which its follower lets the upstream say more are not understood, as
        after one bit of their kind (HTTP/2) was flipped. Everything else passes, pings too."""
        self._loses_windows = True

    def heal(self):
        """Nothing more happens to what comes, and connections that were half closed end."""
        self._spoiled = None
        with self._lock:
            half_closed = bool(self._closed_for)
            self._closed_for.clear()
        if half_closed:
            self.cut()
        self._flowing.set()

    def _pass_on(self, follower, upstream):
        if not self._flowing.wait(0.05):
            return True
        for source in select.select([follower, upstream], [], [], 0.05)[0]:
            data = source.recv(65536)
            if not data:
                return False
            data = self._without_windows(data, follower, source)
            data, goes_on = self._after_its_fault(data, source is follower)
            target = upstream if source is follower else follower
            with self._lock:
                closed = target in self._closed_for
            if not closed:
                target.sendall(data)
            if not goes_on:
                return False
        return True

    def _without_windows(self, data, follower, source):
        with self._lock:
            if self._loses_windows:
                self._loses_windows, self._losing = False, follower
            return _with_unknown_windows(data) if source is self._losing else data

    def _after_its_fault(self, data, from_follower):
        """(what is passed on, whether the connection goes on)."""
        with self._lock:
            spoiled = self._spoiled
            if spoiled is None or spoiled.from_follower != from_follower or len(data) < spoiled.least:
                return data, True
            spoiled.after -= 1
            if spoiled.after >= 0:
                return data, True
            self._spoiled = None
            self.spoiled_pieces += 1
            return spoiled.change(data), spoiled.goes_on


@dataclasses.dataclass
class _Spoiled:
    from_follower: bool
    least: int
    after: int
    change: Callable[[bytes], bytes]
    goes_on: bool = True


def _ignoring_its_end(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass


def _with_a_flipped_bit(data, where):
    bit = int(where * len(data) * 8)
    return data[:bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1:]


_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_WINDOW_UPDATE = 8


def _with_unknown_windows(data):
    """`data` begins with a frame, as what a follower says at once does. See RFC 9113, 4.1."""
    changed = bytearray(data)
    at = len(_PREFACE) if data.startswith(_PREFACE) else 0
    while at + 9 <= len(data):
        if data[at + 3] == _WINDOW_UPDATE:
            changed[at + 3] ^= 0x40
        at += 9 + int.from_bytes(data[at:at + 3], "big")
    return bytes(changed)
