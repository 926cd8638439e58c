"""Which functions of a pack are spoken to in protobuf, and by which of the pack's types."""

import logging
from collections.abc import Mapping

from croupier.descriptors import FunctionDescriptor
from croupier.errors import CroupierError
from croupier.transcoding import Codec, TypeRegistry

log = logging.getLogger(__name__)

_AS_IT_IS = frozenset({"json", "raw"})
"""Encodings that leave payloads alone."""


class PackTypes:
    """The types of one pack, built when its first function asks for one: `sets` are its FileDescriptorSets by file name.

    What is wrong with them is logged, and told to whoever calls a function that needs them; the pack's other functions work.
    """

    def __init__(self, pack: str, sets: Mapping[str, bytes]) -> None:
        self._pack = pack
        self._sets = sets
        self._registry: TypeRegistry | None = None
        self._fault: CroupierError | None = None

    def codec(self, function: FunctionDescriptor) -> Codec | None:
        """What its arguments and answers go through; None where they are sent as they are."""
        proto = function.transport.proto
        if proto is None or not (proto.request_fqn or proto.response_fqn) or proto.encoding in _AS_IT_IS:
            return None
        try:
            return self._built().codec(proto.request_fqn, proto.response_fqn)
        except CroupierError as error:
            log.warning("function %s of pack %s cannot be called: %s", function.id, self._pack, error.message)
            return Codec.unusable(f"{function.id} cannot be called: {error.message}")

    def _built(self) -> TypeRegistry:
        if self._fault is not None:
            raise self._fault
        if self._registry is None:
            try:
                self._registry = TypeRegistry.build(self._sets)
            except CroupierError as error:
                self._fault = error
                raise
        return self._registry
