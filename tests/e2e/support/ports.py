"""TCP ports for the servers of a test."""

import random
import socket

# Below the kernel's ephemeral range: no outgoing connection takes one between the choice and its use.
_RANGE = range(20000, 32000)
_given = set()


def free_port():
    """A port on the loopback address that nobody listens on, and that was not given before in this run."""
    while True:
        port = random.choice(_RANGE)
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def free_address():
    return f"127.0.0.1:{free_port()}"
