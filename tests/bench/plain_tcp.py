"""What any copy over TCP could do at best here: sendfile into a socket, a file at the other end, one fsync."""

import multiprocessing
import os
import socket
import time

_BLOCK = 1 << 20


def _send(listener, path):
    connection, _ = listener.accept()
    with connection, open(path, "rb") as file:
        connection.sendfile(file)


def copy(source, target):
    """Copies by two processes, as a sidecar pair would; returns seconds until the copy is durable."""
    listener = socket.create_server(("127.0.0.1", 0))
    sender = multiprocessing.Process(target=_send, args=(listener, source))
    sender.start()
    begin = time.monotonic()
    buffer = memoryview(bytearray(_BLOCK))
    with socket.create_connection(listener.getsockname()) as connection, open(target, "wb", buffering=0) as file:
        while True:
            size = connection.recv_into(buffer)
            if size == 0:
                break
            file.write(buffer[:size])
        os.fsync(file.fileno())
    seconds = time.monotonic() - begin
    sender.join()
    listener.close()
    assert os.path.getsize(target) == os.path.getsize(source)
    return seconds
