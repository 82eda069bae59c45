"""Without TLS, only peers on the same host are answered, until the configuration says otherwise."""

import socket

import pytest
from support import config
from support import database as db
from support.ports import free_port
from support.sidecar import run_zrs


def _own_address():
    """An address of this host that is no loopback; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return probe.getsockname()[0]


OWN_ADDRESS = _own_address()
needs_address = pytest.mark.skipif(OWN_ADDRESS is None, reason="this host has no address but the loopback's")


def pair_over(lab, host, *keys):
    """A primary that listens on all interfaces, and a secondary that connects to `host`."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    port = free_port()
    return lab.pair(path, listen=str(port), connect=f"{host}:{port}", primary_keys=keys)


@needs_address
def test_another_host_is_refused_and_both_sides_say_so(lab):
    pair = pair_over(lab, OWN_ADDRESS)
    refused = pair.secondary.until_refused()
    assert refused["state"] == "connecting"
    assert refused["upstream"]["connected"] is False
    for told in (refused["error"], pair.primary.until_refused()["error"]):
        assert "protected mode" in told["message"]
        assert OWN_ADDRESS in told["message"]
        for remedy in ("insecure true", "tunnel", "Unix socket"):
            assert remedy in told["remedy"]
    # It is the follower's trouble alone.
    primary = pair.primary.storage()
    assert primary["state"] == "streaming"
    assert run_zrs("health", "--config", pair.primary.config, "--service", "main")[0] == 0
    code, out, _ = run_zrs("status", "--config", pair.primary.config)
    assert code == 0
    assert "protected mode" in " ".join(out.split())


@needs_address
def test_insecure_lets_it_in(lab):
    pair = pair_over(lab, OWN_ADDRESS, ("insecure", "true"))
    pair.until_identical()
    assert pair.primary.storage()["error"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_is_let_in(lab, host):
    if host == "[::1]" and not _has_ipv6_loopback():
        pytest.skip("this host has no IPv6")
    pair_over(lab, host).until_identical()


def _has_ipv6_loopback():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_unix_socket_is_let_in(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address = lab.path("run", "replication.sock")
    copy = lab.path("secondary", "Data.fs")
    lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address)).start()
    secondary.until_streaming()
