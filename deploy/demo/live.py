"""Shows a primary and its secondary side by side: positions, rates, and how far the copy is behind.

    live.py --zrs BINARY --primary CONFIG --secondary CONFIG [--progress FILE] [--seconds N]

On a terminal one screen is redrawn, else a plain line is printed every second. Ends at SIGTERM, at Ctrl-C, or after
N seconds.
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
import time


def human_bytes(count):
    """1234567 as 1.23 MB; unknown as '-'."""
    if count is None:
        return "-"
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.2f} {unit}"
        size /= 1000
    return f"{size:.2f} TB"


def human_seconds(seconds):
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Sampler:
    """Asks a sidecar how it is, and derives rates from two answers."""

    def __init__(self, binary, config):
        self._command = [binary, "status", "--config", config, "--json"]
        self._previous = None

    def sample(self):
        """The only storage's status, with "rate" in bytes per second added; None when the sidecar does not answer."""
        try:
            done = subprocess.run(self._command, capture_output=True, timeout=10, check=True)
            storage = json.loads(done.stdout)["storages"][0]
        except (subprocess.SubprocessError, ValueError, LookupError):
            self._previous = None
            return None
        now, end = time.monotonic(), storage.get("committedEnd")
        storage["rate"] = None
        if self._previous is not None and end is not None:
            then, before = self._previous
            storage["rate"] = max(0, end - before) / (now - then)
        self._previous = None if end is None else (now, end)
        return storage


class CommitCounter:
    """Commits per second, from the number that the writer keeps in a file."""

    def __init__(self, path):
        self._path = path
        self._previous = None

    def sample(self):
        """(commits, commits per second), each None when not known."""
        if self._path is None:
            return None, None
        try:
            with open(self._path, encoding="ascii") as file:
                commits = int(file.read())
        except (OSError, ValueError):
            return None, None
        now, rate = time.monotonic(), None
        if self._previous is not None:
            rate = (commits - self._previous[1]) / (now - self._previous[0])
        self._previous = (now, commits)
        return commits, rate


def rate_text(storage):
    rate = storage.get("rate")
    return "-" if rate is None else human_bytes(rate) + "/s"


def describe(storage):
    """State, and what is wrong where something is."""
    if storage is None:
        return "no answer"
    text = storage["state"]
    progress = storage.get("progress")
    if progress and progress.get("total"):
        text += f" {100 * progress['bytes'] / progress['total']:.1f} %"
    error = storage.get("error")
    if error:
        text += f": {error['message']} ({error['remedy']})"
    return text


def screen_lines(primary, secondary, commits, commit_rate):
    """The live screen."""
    lines = ["zrs quickstart                                       Ctrl-C stops everything", ""]
    lines.append(f"  {'':10} {'position':>16} {'':>10} {'rate':>13}   state")
    for role, storage in (("primary", primary), ("secondary", secondary)):
        end = None if storage is None else storage.get("committedEnd")
        shown = "-" if end is None else f"{end:,}"
        rate = "-" if storage is None else rate_text(storage)
        lines.append(f"  {role:10} {shown:>16} {human_bytes(end):>10} {rate:>13}   {describe(storage)}")
    lag = secondary or {}
    lines += ["", f"  lag        {human_bytes(lag.get('lagBytes')):>16} {human_seconds(lag.get('lagSeconds')):>10}"]
    if commits is not None:
        per_second = "" if commit_rate is None else f"{commit_rate:8.1f}/s"
        lines.append(f"  commits    {commits:>16,} {per_second:>10}")
    return lines


def plain_line(primary, secondary, commits, commit_rate):
    """The same as one line, for a log."""
    parts = []
    for role, storage in (("primary", primary), ("secondary", secondary)):
        if storage is None:
            parts.append(f"{role} no answer")
        else:
            parts.append(f"{role} {describe(storage)} at {storage.get('committedEnd')} ({rate_text(storage)})")
    lag = secondary or {}
    parts.append(f"lag {human_bytes(lag.get('lagBytes'))}, {human_seconds(lag.get('lagSeconds'))}")
    if commits is not None:
        parts.append(f"{commits} commits" + ("" if commit_rate is None else f" ({commit_rate:.0f}/s)"))
    return "  |  ".join(parts)


def show(arguments, stop):
    """Until `stop` is set or the time is over."""
    samplers = [Sampler(arguments.zrs, arguments.primary), Sampler(arguments.zrs, arguments.secondary)]
    counter = CommitCounter(arguments.progress)
    terminal = sys.stdout.isatty()
    until = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    while not stop.is_set() and (until is None or time.monotonic() < until):
        # The copy first: asked a moment later it would seem to be ahead.
        secondary = samplers[1].sample()
        values = [samplers[0].sample(), secondary, *counter.sample()]
        if terminal:
            body = "".join(line + "\033[K\n" for line in screen_lines(*values))
            sys.stdout.write("\033[H" + body + "\033[J")
        else:
            sys.stdout.write(plain_line(*values) + "\n")
        sys.stdout.flush()
        stop.wait(0.5 if terminal else 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("zrs", "primary", "secondary"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--progress")
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if sys.stdout.isatty():
        sys.stdout.write("\033[2J\033[?25l")
    try:
        show(arguments, stop)
    finally:
        if sys.stdout.isatty():
            sys.stdout.write("\033[?25h\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
