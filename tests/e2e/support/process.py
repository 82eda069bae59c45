"""A server process with its log, which does not outlive the test."""

import ctypes
import os
import signal
import subprocess

from .waiting import until

_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the child, before its program."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """Started again and again under one name; its output is appended to one log file."""

    def __init__(self, name, command, log_path, env=None):
        self.name = name
        self.log_path = log_path
        self._command = command
        self._prefix = ()
        self._env = env
        self._popen = None

    def use_prefix(self, prefix):
        """From the next start on: a command that runs this one."""
        assert not self.running()
        self._prefix = prefix

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self._popen = subprocess.Popen([*self._prefix, *self._command], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, env=self._env, start_new_session=True,
                                           preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self._popen.pid

    def running(self):
        return self._popen is not None and self._popen.poll() is None

    def signal(self, number):
        self._popen.send_signal(number)

    def exit_code(self, timeout=30):
        """Waits for the end; negative: the signal that killed it."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.name} did not end in {timeout} s\n{self.log_tail()}") from error

    def terminate(self, timeout=30):
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code(timeout)

    def kill(self):
        """SIGKILL, and waits until it is gone; nothing where it does not run."""
        if self.running():
            self.signal(signal.SIGKILL)
        if self._popen is not None:
            self._popen.wait()

    def peak_memory(self):
        """Largest resident set since it was started, in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=40):
        return f"--- log of {self.name}\n" + "\n".join(self.log().splitlines()[-lines:])

    def until_logged(self, text, timeout=30):
        until(lambda: text in self.log(), lambda: f"{text!r} in\n{self.log_tail()}", timeout)
