"""A connection that passes through the test."""

import select
import socket
import threading

from .ports import free_port


def _host_and_port(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


class Link:
    """Listens on `address` and passes everything on to `target`, and back; subclasses say what else happens to it."""

    def __init__(self, target):
        self._lock = threading.Lock()
        self._target = _host_and_port(target)
        self._open = set()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self):
        self._closing.set()
        for pair in self.connections():
            _shut(pair)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def connections(self):
        """Pairs of sockets: to the follower and to its upstream."""
        with self._lock:
            return list(self._open)

    def cut(self):
        """Ends every connection; another one can be made at once."""
        for pair in self.connections():
            _shut(pair)

    def point_at(self, target):
        """For connections that are made from now on."""
        self._target = _host_and_port(target)

    def _accept(self):
        while not self._closing.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                follower, _ = self._listener.accept()
                thread = threading.Thread(target=self._relay, args=(follower,))
                self._threads = [each for each in self._threads if each.is_alive()] + [thread]
                thread.start()

    def _relay(self, follower):
        try:
            with follower, socket.create_connection(self._target) as upstream:
                with self._lock:
                    self._open.add((follower, upstream))
                try:
                    while not self._closing.is_set() and self._pass_on(follower, upstream):
                        pass
                finally:
                    with self._lock:
                        self._open.discard((follower, upstream))
        except OSError:  # either side is gone, and so is the link
            pass

    def _pass_on(self, follower, upstream):
        """What one of them has said by now; False at its end."""
        raise NotImplementedError


def _shut(pair):
    for each in pair:
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended meanwhile
            pass
