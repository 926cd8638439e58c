"""What stands before the colon of `--croupier_out=archive=game.tgz,version=1.2.0:out`."""

import re
from dataclasses import dataclass, fields

from croupier.protogen.faults import FaultyProto, Place, ProtoFault

_PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    name: str = ""
    """The pack's; where nothing is said, it comes from the proto package."""
    version: str = "1.0.0"
    archive: str = ""
    """Write everything into one .tgz of this name instead of loose files."""


_NAMES = ", ".join(field.name for field in fields(Parameters))


def read_parameters(text: str) -> Parameters:
    """Raises FaultyProto."""
    said: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if name not in Parameters.__slots__ or not equals or not value:
            raise _refused(f"the parameter {name!r} is not known, or has no value: write name=value of {_NAMES}")
        said[name] = value
    chosen = Parameters(**said)
    if chosen.name and not _PACK_NAME.fullmatch(chosen.name):
        raise _refused("name=: 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit")
    if chosen.archive and ("/" in chosen.archive or not chosen.archive.endswith((".tgz", ".tar.gz"))):
        raise _refused("archive=: write the name of a .tgz, without a folder: protoc puts it where --croupier_out says")
    return chosen


def _refused(says: str) -> FaultyProto:
    return FaultyProto([ProtoFault(Place("--croupier_opt"), says)])
