"""The two messages that a plugin exchanges with protoc."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import Edition, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from croupier.protogen.faults import FaultyProto, Place, ProtoFault
from croupier.protogen.pack import make_pack
from croupier.protogen.parameters import read_parameters
from croupier.protogen.sources import Sources
from croupier.transcoding.files import WELL_KNOWN

_FEATURES = (
    plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    | plugin_pb2.CodeGeneratorResponse.FEATURE_SUPPORTS_EDITIONS
)


def _response_class() -> Any:
    """CodeGeneratorResponse with bytes for the content of a file, which the published one calls a string: a pack has types and
    archives in it, and on the wire the two are the same.
    """
    pool: Any = DescriptorPool()
    pool.AddSerializedFile(WELL_KNOWN["google/protobuf/descriptor.proto"])
    plugin = FileDescriptorProto.FromString(plugin_pb2.DESCRIPTOR.serialized_pb)
    response = next(each for each in plugin.message_type if each.name == "CodeGeneratorResponse")
    content = next(each for each in response.nested_type[0].field if each.name == "content")
    content.type = FieldDescriptorProto.TYPE_BYTES
    pool.AddSerializedFile(plugin.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("google.protobuf.compiler.CodeGeneratorResponse"))


Response = _response_class()


def respond(request: bytes) -> bytes:
    """The serialized answer to a serialized CodeGeneratorRequest; what is wrong with the .proto files is in it as an error."""
    answer = Response(
        supported_features=_FEATURES,
        minimum_edition=Edition.EDITION_PROTO2,
        maximum_edition=Edition.EDITION_2023,
    )
    try:
        for name, content in _files(request).items():
            answer.file.add(name=name, content=content)
    except FaultyProto as refused:
        answer.error = str(refused)
    return bytes(answer.SerializeToString(deterministic=True))


def _files(content: bytes) -> Mapping[str, bytes]:
    try:
        request = plugin_pb2.CodeGeneratorRequest.FromString(content)
    except DecodeError:
        says = "what came in is no CodeGeneratorRequest: protoc starts this program, with --croupier_out=FOLDER"
        raise FaultyProto([ProtoFault(Place("protoc-gen-croupier"), says)]) from None
    parameters = read_parameters(request.parameter)
    return make_pack(Sources(request.proto_file), request.file_to_generate, parameters)
