from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from croupier.descriptors import EntityDescriptor, Fault, FaultyDescriptor, FunctionDescriptor
from croupier.packs.digest import content_digest
from croupier.packs.manifest import Manifest, WebPlugin
from croupier.packs.signing import SIGNATURE_FILE, Signature, signature_json
from croupier.packs.tar import write_archive


class FaultyPack(FaultyDescriptor):
    """A pack that cannot be used, with everything that is wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FormSchemas:
    """What `ui/` says of one function."""

    schema: Mapping[str, Any] | None = None
    """`<id>.schema.json`: JSON Schema of the form, where it is not the function's `params`."""
    uischema: Mapping[str, Any] | None = None
    """`<id>.uischema.json`: how the form looks."""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A pack as it was read: whole, checked, never changed."""

    name: str
    manifest: Manifest
    functions: tuple[FunctionDescriptor, ...] = ()
    """By id."""
    entities: tuple[EntityDescriptor, ...] = ()
    """By id."""
    origins: Mapping[str, str]
    """In which file each function and entity is described, by id."""
    ui: Mapping[str, FormSchemas]
    """By function id."""
    descriptor_sets: Mapping[str, bytes]
    """FileDescriptorSets by file name; one may be empty."""
    web_plugins: tuple[WebPlugin, ...] = ()
    """The manifest's plugins that are there, with the names of their files."""
    files: Mapping[str, bytes]
    """All of it by name, but the signature."""
    signature: Signature | None = None
    """As the pack brought it; nothing is said of whether it is true."""
    notes: tuple[Fault, ...] = ()
    """What is odd and does no harm, such as a function that nothing describes."""

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def category(self) -> str:
        """The manifest's, or the one that all its functions have."""
        if self.manifest.category:
            return self.manifest.category
        categories = {each.category for each in self.functions}
        return categories.pop() if len(categories) == 1 else ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of its content, signature left out."""
        return content_digest(self.files)

    def archive(self) -> bytes:
        """As a `.tgz`: the same bytes for the same pack and signature."""
        return write_archive(self.signed_files)

    @property
    def signed_files(self) -> dict[str, bytes]:
        """All files, the signature among them if there is one."""
        if self.signature is None:
            return dict(self.files)
        return {**self.files, SIGNATURE_FILE: signature_json(self.signature)}


def write_packs(packs: Sequence[Pack]) -> bytes:
    """A `.tgz` of packs, the same bytes for the same packs: of one that knows its own name alone, else each in its folder."""
    if len(packs) == 1 and packs[0].manifest.id:
        return packs[0].archive()
    return write_archive(
        {f"{pack.name}/{name}": content for pack in packs for name, content in pack.signed_files.items()}
    )
