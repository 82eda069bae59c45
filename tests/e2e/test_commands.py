"""The command line as a whole: what there is, and what wrong usage gets."""

import os
import re

import pytest
from support.sidecar import ROOT, run_zrs

CLI_PAGE = os.path.join(ROOT, "sidecar", "cli", "README.md")


def documented_commands():
    """From the table of commands: {name: the words behind it}."""
    with open(CLI_PAGE, encoding="utf-8") as file:
        rows = re.findall(r"^\| `zrs ([a-z-]+)([^`]*)` \|", file.read(), re.MULTILINE)
    return dict(rows)


def help_of(*command):
    code, out, err = run_zrs(*command, "--help")
    assert (code, err) == (0, "")
    return out


def commands_of_the_program():
    return set(re.findall(r"^  ([a-z-]+)  +\S", help_of().split("Subcommands:")[1], re.MULTILINE))


def test_every_command_is_documented_and_every_documented_one_exists():
    assert set(documented_commands()) == commands_of_the_program()


@pytest.mark.parametrize("command", sorted(documented_commands()))
def test_the_options_of_a_command_are_documented_and_exist(command):
    documented = set(re.findall(r"--[a-z]+", documented_commands()[command]))
    assert documented == set(re.findall(r"--[a-z]+", help_of(command))) - {"--help"}


@pytest.mark.parametrize("arguments", [
    [], ["run", "--bogus"], ["status", "extra"], ["wait", "--replicas", "0"], ["wait", "--replicas", "many"],
    ["wait", "--timeout", "-1"], ["wait", "--all", "--storage", "main"], ["verify"], ["status", "--config"],
    ["verify", "a", "b"], ["check-config", "a", "--config", "b"],
], ids=" ".join)
def test_wrong_usage(arguments):
    code, out, err = run_zrs(*arguments)
    assert (code, out) == (2, "")
    assert err
    assert max(len(line) for line in err.splitlines()) < 120


def test_an_unknown_command_is_named_with_its_neighbour():
    code, out, err = run_zrs("statsu")
    assert (code, out) == (2, "")
    assert "statsu" in err and "did you mean status?" in err
    _, _, err = run_zrs("replicate")
    for command in commands_of_the_program():
        assert command in err


def test_without_a_command_all_of_them_are_named():
    code, out, err = run_zrs()
    assert (code, out) == (2, "")
    for command in commands_of_the_program():
        assert command in err


@pytest.mark.parametrize("command", ["run", "start", "stop", "status", "health", "wait", "check-config"])
def test_a_missing_configuration_is_named(lab, command):
    path = lab.path("none.conf")
    code, out, err = run_zrs(command, "--config", path)
    assert (code, out) == (2, "")
    assert path in err


@pytest.mark.parametrize("how", ["version", "--version"])
def test_the_version(how):
    code, out, err = run_zrs(how)
    assert (code, err) == (0, "")
    assert re.fullmatch(r"zrs \d+\.\d+\.\d+\n", out)


def test_the_default_configuration_is_told():
    assert "/etc/zrs/zrs.conf" in help_of("run")
