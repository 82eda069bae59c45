"""What monitoring asks: grpc.health.v1 as Kubernetes and load balancers do, reflection, and the Status service."""

import os
import pathlib
import shutil
import signal
import threading

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from support import config
from support import database as db
from support.ports import free_address
from support.sidecar import run_zrs
from support.waiting import until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


COMMON = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def open_channel(lab, address):
    target = f"unix:{address}" if address.startswith("/") else address
    channel = grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])
    lab.at_close(channel.close)
    return channel


class Health:
    """A client of one address."""

    def __init__(self, lab, address):
        self._stub = health_pb2_grpc.HealthStub(open_channel(lab, address))

    def check(self, service=""):
        """The status; None where the service is unknown."""
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            return self._stub.Check(request, timeout=10, wait_for_ready=True).status
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def watch(self, service=""):
        """What the server tells of it, from now on."""
        return self._stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=60)

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


def test_a_primary_whose_file_was_replaced_by_a_backup_is_not_serving(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    backup = lab.path("backup", "Data.fs")
    shutil.copyfile(path, backup)
    database = db.open_file(path)
    db.put(database, "key-1", "other")
    database.close()
    pair = lab.pair(path)
    pair.until_identical()
    health = Health(lab, pair.address)
    health.until(SERVING, "zrs.storage.main")
    os.rename(backup, path)
    health.until(NOT_SERVING, "zrs.storage.main")


def test_a_primary_is_serving_after_a_pack(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    health = Health(lab, pair.address)
    health.until(SERVING, "zrs.storage.main")
    db.put(database, "key-1", "other")
    database.pack()
    pair.secondary.until_storage(lambda s: s["lastSwap"], "the new file")
    health.until(SERVING, "zrs.storage.main")


def test_a_stopped_primary_makes_a_secondary_unhealthy_though_it_is_connected(lab, chain):
    health = Health(lab, chain.middle_address)
    health.until(SERVING, "zrs.storage.main")
    chain.primary.process.signal(signal.SIGSTOP)
    health.until(NOT_SERVING, "zrs.storage.main")
    assert chain.middle.storage()["lagSeconds"] is None
    chain.primary.process.signal(signal.SIGCONT)
    health.until(SERVING, "zrs.storage.main")


def test_a_watch_is_told_of_each_change(lab, chain):
    health = Health(lab, chain.middle_address)
    health.until(SERVING, "zrs.storage.main")
    seen = []
    call = health.watch("zrs.storage.main")

    def read():
        try:
            for response in call:
                seen.append(response.status)
        except grpc.RpcError:
            pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    until(lambda: seen == [SERVING], lambda: seen)
    chain.primary.kill()
    until(lambda: seen == [SERVING, NOT_SERVING], lambda: seen)
    chain.primary.start()
    until(lambda: seen[-1] == SERVING, lambda: seen)
    call.cancel()
    thread.join(10)


class Reflected:
    """The services of one address, known by reflection alone."""

    def __init__(self, lab, address):
        self._channel = open_channel(lab, address)
        self._database = ProtoReflectionDescriptorDatabase(self._channel)
        self._pool = DescriptorPool(self._database)

    def services(self):
        return set(self._database.get_services())

    def call(self, service, method):
        """A call with an empty request; the response as a dictionary with the names of the .proto file."""
        described = self._pool.FindServiceByName(service).FindMethodByName(method)
        request, response = GetMessageClass(described.input_type), GetMessageClass(described.output_type)
        call = self._channel.unary_unary(f"/{service}/{method}", request_serializer=request.SerializeToString,
                                         response_deserializer=response.FromString)
        return MessageToDict(call(request(), timeout=10), preserving_proto_field_name=True)


def test_what_each_address_offers(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address, health_address = free_address(), free_address()
    primary = lab.sidecar("primary", config.primary(path, address), keys=[("health-address", health_address)]).start()
    assert Reflected(lab, address).services() == COMMON | {"zrs.v1.Replication"}
    assert Reflected(lab, health_address).services() == COMMON | {"zrs.v1.Status"}
    assert Reflected(lab, primary.admin_socket).services() == COMMON | {"zrs.v1.Status", "zrs.v1.Admin"}
    for each in (address, health_address, primary.admin_socket):
        Health(lab, each).until(SERVING, "zrs.storage.main")
        Health(lab, each).until(SERVING)


def test_no_thread_of_grpcs_callback_or_synchronous_servers_runs(lab, chain):
    Health(lab, chain.middle_address).until(SERVING)
    assert Reflected(lab, chain.middle_address).services()
    for sidecar in (chain.primary, chain.middle):
        tasks = f"/proc/{sidecar.status()['pid']}/task"
        names = {pathlib.Path(tasks, task, "comm").read_text().strip() for task in os.listdir(tasks)}
        assert not {name for name in names if name.startswith(("nexting", "grpcpp_sync"))}


def test_the_status_service_tells_what_the_command_does(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    health_address = free_address()
    primary = lab.sidecar("primary", config.primary(path, free_address()), keys=[("health-address", health_address)])
    primary.start().until_streaming()
    told = Reflected(lab, health_address).call("zrs.v1.Status", "Get")
    status = primary.status()
    assert told["version"] == status["version"]
    assert int(told["pid"]) == status["pid"]
    (storage,) = told["storages"]
    (expected,) = status["storages"]
    assert int(storage["committed_end"]) == expected["committedEnd"]
    for ours, theirs in (("name", "name"), ("role", "role"), ("state", "state"), ("path", "path"),
                         ("database_id", "databaseId"), ("epoch", "epoch"), ("last_tid", "lastTid"),
                         ("watch", "watch")):
        assert storage[ours] == expected[theirs]


def test_a_health_address_that_is_a_socket(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    socket = lab.path("run", "health.sock")
    lab.sidecar("primary", config.primary(path, free_address()), keys=[("health-address", socket)]).start()
    Health(lab, socket).until(SERVING, "zrs.storage.main")


def zrs_health(sidecar, *arguments):
    return run_zrs("health", "--config", sidecar.config, *arguments)


def test_the_health_command(lab, chain):
    assert zrs_health(chain.primary) == (0, "SERVING\n", "")
    Health(lab, chain.middle_address).until(SERVING, "zrs.storage.main")
    for name in ("zrs.storage.main", "main"):
        assert zrs_health(chain.middle, "--service", name) == (0, "SERVING\n", "")
    code, out, err = zrs_health(chain.middle, "--service", "other")
    assert (code, out) == (2, "")
    assert "other" in err
    chain.primary.kill()
    Health(lab, chain.middle_address).until(NOT_SERVING, "zrs.storage.main")
    assert zrs_health(chain.middle, "--service", "main") == (1, "NOT_SERVING\n", "")
    code, out, err = zrs_health(chain.primary)
    assert (code, out) == (1, "")
    assert "is zrs running" in err
