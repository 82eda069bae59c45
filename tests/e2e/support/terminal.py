"""A command on a terminal, as a person has it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios

from .process import die_with_parent
from .waiting import Stopwatch


def _take_terminal():
    """In the child: the terminal on descriptor 0 becomes its own, so that keys make signals."""
    die_with_parent()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Runs `command`. `out` may be another file for its standard output, which is else the terminal too."""

    def __init__(self, *command, rows=24, columns=80, out=None, env=None):
        self._controller, terminal = pty.openpty()
        self.resize(rows, columns)
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment.update({"TERM": "xterm"}, **(env or {}))
        self._popen = subprocess.Popen(command, stdin=terminal, stdout=terminal if out is None else out,
                                       stderr=terminal, env=environment, start_new_session=True,
                                       preexec_fn=_take_terminal)
        os.close(terminal)
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self):
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        if self._controller is not None:
            os.close(self._controller)
        self._controller = None

    def type(self, keys):
        os.write(self._controller, keys)

    def signal(self, number):
        self._popen.send_signal(number)

    def read(self, timeout):
        """Takes what is there, or comes within `timeout` seconds; False at the end."""
        if not select.select([self._controller], [], [], timeout)[0]:
            return True
        try:
            piece = os.read(self._controller, 65536)
        except OSError:  # the end of a terminal is an error
            return False
        self.text += piece.decode()
        return bool(piece)

    def read_until(self, pattern, timeout=30):
        """Reads until the regular expression is found in all that was written; the match."""
        watch = Stopwatch(timeout)
        while not (found := re.search(pattern, self.text, re.DOTALL)):
            assert watch.running(), f"waited in vain for {pattern!r} in {self.text!r}"
            assert self.read(0.1), f"ended without {pattern!r}: {self.text!r}"
        return found

    def exit_code(self, timeout=30):
        """Reads to the end. Negative: the signal that it died of."""
        watch = Stopwatch(timeout)
        while self.read(0.1):
            assert watch.running(), f"did not end: {self.text!r}"
        return self._popen.wait(timeout)
