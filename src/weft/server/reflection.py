"""Server reflection, by which grpcurl and its like learn the schema: the versions v1 and v1alpha of one service.

The library has v1alpha only.  v1 has the same messages under other names, so both are answered by one servicer, and the
descriptor of v1 is made from that of v1alpha, for those who ask what reflection itself looks like.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

V1ALPHA = reflection.SERVICE_NAME
V1 = V1ALPHA.replace("v1alpha", "v1")
_FILE = "grpc/reflection/v1/reflection.proto"


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Describe ``services``, by their full names, and reflection itself."""
    _add_descriptor()
    servicer = ReflectionServicer((*services, V1, V1ALPHA))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    methods = {"ServerReflectionInfo": handler}
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(name, methods) for name in (V1, V1ALPHA))
    )


def _add_descriptor() -> None:
    """Make v1 known; that it is known already is no error."""
    file = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    old, file.name = file.package, _FILE
    file.package = old.replace("v1alpha", "v1")
    fields = [field for message in file.message_type for field in message.field]
    for field in fields:
        if field.type_name:
            field.type_name = field.type_name.replace(f".{old}.", f".{file.package}.")
    for method in (method for service in file.service for method in service.method):
        method.input_type = method.input_type.replace(f".{old}.", f".{file.package}.")
        method.output_type = method.output_type.replace(f".{old}.", f".{file.package}.")
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
