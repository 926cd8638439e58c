from croupier_wire.agent.local.v1 import local_pb2 as _local_pb2
from croupier_wire.function.v1 import function_pb2 as _function_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
