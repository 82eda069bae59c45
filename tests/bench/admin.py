"""Status.Get of a process, without generated code: protoc's description of admin.proto is enough."""

import os
import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class AdminClient:
    """Of the sidecar whose admin socket this is, which answers that service too."""

    def __init__(self, root, socket_path):
        messages = _messages(root)
        self._channel = grpc.insecure_channel("unix:" + socket_path)
        self._status_request = messages["zrs.v1.StatusRequest"]
        self._status = self._channel.unary_unary(
            "/zrs.v1.Status/Get", request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=messages["zrs.v1.StatusResponse"].FromString)

    def status(self):
        return self._status(self._status_request(), timeout=10)

    def close(self):
        self._channel.close()


def _messages(root):
    with tempfile.TemporaryDirectory() as directory:
        described = os.path.join(directory, "admin.desc")
        subprocess.run(["protoc", "-I.", "--include_imports", f"--descriptor_set_out={described}",
                        "proto/zrs/v1/admin.proto"], cwd=root, check=True)
        with open(described, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
            for name in ("zrs.v1.StatusRequest", "zrs.v1.StatusResponse")}
