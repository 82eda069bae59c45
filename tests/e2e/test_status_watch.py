"""`zrs status` for people, and again and again: on a terminal, in a pipe, and while zrs is not there."""

import json
import os
import signal

import pytest
from support import config
from support import database as db
from support.ports import free_address
from support.process import Process
from support.sidecar import BINARY, run_zrs
from support.terminal import Terminal
from support.waiting import until

_GREEN, _YELLOW, _PLAIN = "\033[32m", "\033[33m", "\033[0m"
_BEGIN = "\033[?25l"
_END = "\033[?25h"


@pytest.fixture(name="primary")
def fixture_primary(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    primary = lab.sidecar("primary", config.primary(path, free_address())).start()
    primary.until_streaming()
    return primary


def status_on_terminal(lab, sidecar, *options, **terminal_options):
    terminal = Terminal(BINARY, "status", "--config", sidecar.config, *options, **terminal_options)
    lab.at_close(terminal.close)
    return terminal


def printed(terminal):
    """All that a command has written by its end."""
    assert terminal.exit_code() == 0
    return terminal.text.replace("\r\n", "\n")


# Once.

def test_colors_on_a_terminal_only(lab, primary):
    assert f"main: primary, {_GREEN}streaming{_PLAIN}\n" in printed(status_on_terminal(lab, primary))
    plain = run_zrs("status", "--config", primary.config)[1]
    assert "main: primary, streaming\n" in plain
    assert "\033" not in plain


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colors_where_they_are_not_wanted(lab, primary, env):
    assert "\033" not in printed(status_on_terminal(lab, primary, env=env))


def test_no_colors_in_json(lab, primary):
    assert json.loads(printed(status_on_terminal(lab, primary, "--json")))["storages"][0]["state"] == "streaming"


def test_a_secondary_that_does_not_stream_tells_why_and_what_to_do(lab):
    secondary = lab.sidecar("secondary", config.secondary(lab.path("copy", "Data.fs"), "127.0.0.1:1")).start()
    secondary.until_storage(lambda s: s["error"], "a failed connection")
    out = printed(status_on_terminal(lab, secondary))
    assert f"main: secondary, {_YELLOW}connecting{_PLAIN}\n" in out
    assert "  upstream     127.0.0.1:1, not connected" in out
    assert "  lag          unknown" in out
    assert "\n  reason       " in out and "\n  next step    " in out


def test_lines_fit_the_terminal(lab, primary):
    out = printed(status_on_terminal(lab, primary, columns=80))
    # A path may be longer than any line.
    lines = [line for line in out.replace(_GREEN, "").replace(_PLAIN, "").split("\n") if "/" not in line]
    assert len(lines) > 5
    assert max(map(len, lines)) <= 80


# Again and again.

def last_screen(terminal):
    return terminal.text.rsplit("\033[H", 1)[-1].replace("\r\n", "\n")


def test_watching_on_a_terminal_writes_over_the_screen(lab, primary):
    terminal = status_on_terminal(lab, primary, "--watch")
    terminal.read_until("streaming.*\033\\[H.*streaming.*\033\\[H.*streaming.*\033\\[J")
    assert terminal.text.startswith(_BEGIN)
    assert _END not in terminal.text
    # Each line clears what was there; the screen is cleared once only, at the beginning.
    assert "\033[K\n" in last_screen(terminal)
    assert terminal.text.count("\033[2J") == 1
    terminal.signal(signal.SIGTERM)
    assert terminal.exit_code() == 0
    assert terminal.text.endswith(_END)


def test_control_c_ends_watching_and_gives_the_cursor_back(lab, primary):
    terminal = status_on_terminal(lab, primary, "--watch")
    terminal.read_until("streaming")
    terminal.type(b"\x03")
    assert terminal.exit_code() == 0
    # The kernel's echo of the key races with what the handler writes.
    assert terminal.text.replace("^C", "").endswith(_END)


def test_watching_goes_on_while_zrs_is_not_there(lab, primary):
    primary.stop()
    terminal = status_on_terminal(lab, primary, "--watch")
    terminal.read_until("is zrs running with this configuration\\?.*Trying again")
    primary.start()
    terminal.read_until("Trying again.*main: primary, ")
    primary.stop()
    terminal.read_until("Trying again.*main: primary, .*Trying again")
    terminal.signal(signal.SIGTERM)
    assert terminal.exit_code() == 0


def test_watching_a_zrs_that_does_not_answer_can_be_ended(lab, primary):
    primary.process.signal(signal.SIGSTOP)
    terminal = status_on_terminal(lab, primary, "--watch")
    terminal.read_until("did not answer in time")
    terminal.type(b"\x03")
    assert terminal.exit_code(timeout=5) == 0
    primary.process.signal(signal.SIGCONT)


def test_a_small_window_shows_what_fits(lab, primary):
    terminal = status_on_terminal(lab, primary, "--watch", rows=5)
    terminal.read_until(r"\.\.\. \d more lines: make the window higher")
    terminal.resize(40, 80)
    terminal.read_until("make the window higher.*followers    none")


def watch(lab, sidecar, *options):
    """Watching in the background; its output is a file."""
    command = [BINARY, "status", "--config", sidecar.config, "--watch", *options]
    process = Process("watch", command, lab.path("watch.log"))
    lab.at_close(process.kill)
    process.start()
    return process


def test_watching_in_a_pipe_sets_screens_apart(lab, primary):
    process = watch(lab, primary)
    process.until_logged("\n\nzrs ")
    assert process.terminate() == 0
    assert "\033" not in process.log()
    screens = process.log().split("\n\nzrs ")
    assert len(screens) >= 2
    assert all("main: primary, streaming" in screen for screen in screens)


def test_watching_as_json_is_an_object_a_line(lab, primary):
    process = watch(lab, primary, "--json")
    process.until_logged("}\n{")
    primary.stop()
    # Said once, and not in place of an object.
    process.until_logged("is zrs running with this configuration?")
    before = process.log().count('"pid"')
    primary.start()
    until(lambda: process.log().count('"pid"') > before, "another object")
    assert process.terminate() == 0
    lines = process.log().splitlines()
    complaints = [line for line in lines if not line.startswith("{")]
    assert len(complaints) == 1
    for line in lines:
        if line.startswith("{"):
            assert json.loads(line)["storages"][0]["name"] == "main"


def test_watching_ends_when_nobody_reads_any_more(lab, primary):
    pipe = lab.path("pipe")
    os.mkfifo(pipe)
    # With SIGPIPE ignored, as here, the write fails; else the signal ends it.
    command = f"trap '' PIPE; exec {BINARY} status --config {primary.config} --watch --json > {pipe}"
    process = Process("watch", ["sh", "-c", command], lab.path("watch.log"))
    lab.at_close(process.kill)
    process.start()
    with open(pipe, "rb", buffering=0) as reading:
        assert reading.read(1) == b"{"
    assert process.exit_code() == 1
