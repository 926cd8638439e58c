"""JSON ↔ protobuf by the full name of a message, for functions whose game servers speak protobuf.

    pack's *.pb ─► files (bounded, ordered, well-known types from the runtime) ─► a pool of its own ─► TypeRegistry
                                                                                                         │ codec(request, response)
    JSON arguments ─► reading ─► message ─► bytes to the game server                                     ▼
    JSON answer   ◄─ writing ◄─ message ◄─ bytes from the game server                                  Codec

Readers and writers are made once for each message type. All of it is immutable once built: a call that holds a codec keeps
it while its pack is replaced. docs/reference/transcoding.md says how each type looks as JSON.
"""

from croupier.transcoding.codec import Codec
from croupier.transcoding.registry import TypeRegistry

__all__ = ["Codec", "TypeRegistry"]
