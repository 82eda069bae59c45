"""grpc.health.v1 on every listening address, as Kubernetes and load balancers ask it."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support import config
from support import database as db
from support.ports import free_address
from support.waiting import until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """A client of one address."""

    def __init__(self, lab, address):
        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        lab.at_close(channel.close)
        self._stub = health_pb2_grpc.HealthStub(channel)

    def check(self, service=""):
        """The status; None where the service is unknown."""
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            return self._stub.Check(request, timeout=10, wait_for_ready=True).status
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def until(self, status, service=""):
        until(lambda: self.check(service) == status, f"health of {service!r} to be {status}")


@pytest.fixture
def chain(lab):
    """A pair, and a middle secondary that listens too."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.middle_address = free_address()
    pair.middle = lab.sidecar("middle", config.secondary(lab.path("middle", "Data.fs"), pair.address,
                                                         serve_on=pair.middle_address)).start()
    pair.middle.until_streaming()
    return pair


def test_health_of_primary_and_secondary(lab, chain):
    for address in (chain.address, chain.middle_address):
        health = Health(lab, address)
        health.until(SERVING, "zrs.storage.main")
        health.until(SERVING)
        assert health.check("zrs.storage.other") is None


def test_a_secondary_without_its_primary_is_not_serving(lab, chain):
    health = Health(lab, chain.middle_address)
    health.until(SERVING, "zrs.storage.main")
    chain.primary.kill()
    health.until(NOT_SERVING, "zrs.storage.main")
    chain.primary.start()
    health.until(SERVING, "zrs.storage.main")


def test_a_primary_whose_file_was_replaced_is_not_serving(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    health = Health(lab, pair.address)
    health.until(SERVING, "zrs.storage.main")
    db.put(database, "key-1", "other")
    database.pack()
    health.until(NOT_SERVING, "zrs.storage.main")
