"""Which functions are spoken to in protobuf, and by which types: a pack's own, or for a provider those of any pack."""

import logging
from collections.abc import Mapping, Sequence

from croupier.descriptors import FunctionDescriptor
from croupier.descriptors.rules import Proto
from croupier.errors import CroupierError
from croupier.transcoding import Codec, TypeRegistry

log = logging.getLogger(__name__)

_AS_IT_IS = frozenset({"json", "raw"})
"""Encodings that leave payloads alone."""


def messages_of(function: FunctionDescriptor) -> Proto | None:
    """What its arguments and answers are as protobuf; None where they are sent as they are."""
    proto = function.transport.proto
    if proto is None or not (proto.request_fqn or proto.response_fqn) or proto.encoding in _AS_IT_IS:
        return None
    return proto


class PackTypes:
    """The types of one pack: `sets` are its FileDescriptorSets by file name. The largest take seconds; build them in a thread.

    What is wrong with them is logged, and told to whoever calls a function that needs them; the pack's other functions work.
    """

    def __init__(self, pack: str, sets: Mapping[str, bytes]) -> None:
        self._pack = pack
        self.empty = not any(sets.values())
        self._registry: TypeRegistry | None = None
        self._fault: CroupierError | None = None
        try:
            self._registry = TypeRegistry.build(sets)
        except CroupierError as error:
            self._fault = error

    def codec(self, function: FunctionDescriptor) -> Codec | None:
        """What its arguments and answers go through; None where they are sent as they are."""
        proto = messages_of(function)
        if proto is None:
            return None
        try:
            return self.find(proto)
        except CroupierError as error:
            log.warning("function %s of pack %s cannot be called: %s", function.id, self._pack, error.message)
            return Codec.unusable(f"{function.id} cannot be called: {error.message}")

    def find(self, proto: Proto) -> Codec:
        """Raises CroupierError where the types cannot be used, or do not have both messages."""
        if self._registry is None:
            raise self._fault or RuntimeError("types are either built or faulty")
        return self._registry.codec(proto.request_fqn, proto.response_fqn)


def lent(function: FunctionDescriptor, proto: Proto, packs: Sequence[PackTypes]) -> Codec:
    """For a function that no pack describes: the types of the first pack that has both messages."""
    for types in packs:
        try:
            return types.find(proto)
        except CroupierError:
            continue  # said of that pack where it is loaded; another may have them
    named = " and ".join(filter(None, dict.fromkeys((proto.request_fqn, proto.response_fqn))))
    return Codec.unusable(
        f"{function.id} cannot be called: it takes protobuf, and no pack has {named}: install one with its FileDescriptorSet"
    )
