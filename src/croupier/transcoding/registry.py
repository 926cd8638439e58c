import hashlib
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool

from croupier.errors import NotFound
from croupier.transcoding.codec import Codec
from croupier.transcoding.files import WELL_KNOWN, read_files, refused
from croupier.transcoding.names import Names
from croupier.transcoding.reading import Readers
from croupier.transcoding.writing import Writers

_REASON_CHARACTERS = 300


class TypeRegistry:
    """The message types of one pack, apart from those of any other: two packs may know one name in two ways."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._readers = Readers(pool)
        self._writers = Writers(pool)
        self._names: dict[str, Names] = {}

    @classmethod
    def build(cls, sets: Mapping[str, bytes]) -> "TypeRegistry":
        """From FileDescriptorSets by the names of their files; one may be empty, and there may be none.

        The largest take seconds, so call it in a thread. What is built from the same sets is the same registry: a pack is read
        anew for each file of it that changes, and rarely is it the types that did. Raises InvalidArgument, whose details say of
        each file at fault what is wrong with it.
        """
        key = _digest(sets)
        known = _IN_USE.get(key)
        if known is None:
            known = _IN_USE[key] = cls(_pool(sets))
        return known

    def codec(self, request_fqn: str, response_fqn: str) -> Codec:
        """For arguments of the one message and answers of the other; an empty name leaves that side as it is.

        Raises NotFound, naming the type, where no set has it.
        """
        request, response = self._find(request_fqn), self._find(response_fqn)
        return Codec(
            request_fqn=request.full_name if request else "",
            response_fqn=response.full_name if response else "",
            reader=self._readers.of(request) if request else None,
            writer=self._writers.of(response) if response else None,
            names=self._names_of(request) if request else None,
            types=self,
        )

    def _names_of(self, request: Descriptor) -> Names:
        names = self._names.get(request.full_name)
        if names is None:
            names = self._names[request.full_name] = Names(request, self._pool)
        return names

    def _find(self, fqn: str) -> Descriptor | None:
        name = fqn.removeprefix(".")
        if not name:
            return None
        try:
            return self._pool.FindMessageTypeByName(name)
        except KeyError:
            raise NotFound(
                f"no message {name[:200]} in the pack's FileDescriptorSets: add the .pb that has it, or correct the name"
            ) from None


_IN_USE: WeakValueDictionary[bytes, TypeRegistry] = WeakValueDictionary()
"""Those of which somebody has a codec, by what they were built from."""


def _digest(sets: Mapping[str, bytes]) -> bytes:
    digest = hashlib.sha256()
    for name, content in sorted(sets.items()):
        digest.update(b"%d:%b:%d:" % (len(name.encode()), name.encode(), len(content)))
        digest.update(content)
    return digest.digest()


def _pool(sets: Mapping[str, bytes]) -> DescriptorPool:
    pool: Any = DescriptorPool()  # the stub does not know that it takes bytes
    for content in WELL_KNOWN.values():
        pool.AddSerializedFile(content)
    for origin, file in read_files(sets):
        try:
            pool.AddSerializedFile(file.SerializeToString())
        except (TypeError, ValueError) as error:
            raise refused({origin: f"{file.name} cannot be used: {_reason(error)}"}) from None
    built: DescriptorPool = pool
    return built


def _reason(error: Exception) -> str:
    """What the runtime says, without what it always says."""
    return str(error).removeprefix("Couldn't build proto file into descriptor pool: ")[:_REASON_CHARACTERS]
