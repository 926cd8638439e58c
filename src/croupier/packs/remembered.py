"""What the files of a pack were read as, for whoever reads the pack again and again."""

from collections.abc import Mapping, Sequence
from typing import Any

from croupier.descriptors import Descriptor, Fault, FaultyDescriptor, FunctionDescriptor, Message
from croupier.descriptors.faults import json_path
from croupier.descriptors.reading import DESCRIPTOR_BYTES, read_descriptor
from croupier.descriptors.schema import schema_faults
from croupier.descriptors.strict_json import read_json
from croupier.forms import FormFault, form_faults, speaks_of_conditions
from croupier.forms.views import view_faults
from croupier.transcoding import TypeRegistry

Looks = tuple[Sequence[FormFault], Sequence[FormFault]]
Form = tuple[Mapping[str, Any] | None, list[Fault]]


class Remembered:
    """A file is not read anew while its content is the same object. Of what is not there any more nothing is forgotten until
    `keep` is told what is.
    """

    def __init__(self) -> None:
        self._descriptors: dict[str, tuple[bytes, Descriptor | FaultyDescriptor]] = {}
        self._forms: dict[str, tuple[bytes, Form]] = {}
        self._completed: dict[str, tuple[FunctionDescriptor, Mapping[str, Any], FunctionDescriptor]] = {}
        self._looks: dict[tuple[str, str], tuple[FunctionDescriptor, Mapping[str, Any] | None, Looks]] = {}
        self._types: tuple[Mapping[str, bytes], TypeRegistry] | None = None

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Forget what was read of any other file."""
        self._descriptors = {file: read for file, read in self._descriptors.items() if file in files}
        self._forms = {file: read for file, read in self._forms.items() if file in files}
        self._looks = {key: read for key, read in self._looks.items() if key[0] in files}

    def descriptor(self, file: str, content: bytes) -> Descriptor:
        """Raises as `read_descriptor` does."""
        known, read = self._descriptors.get(file, (None, None))
        if read is None or known is not content:
            try:
                read = read_descriptor(content, file)
            except FaultyDescriptor as error:
                read = error
            self._descriptors[file] = content, read
        if isinstance(read, FaultyDescriptor):
            raise read.with_traceback(None)
        return read

    def form(self, file: str, content: bytes, *, is_schema: bool) -> Form:
        """An object of `ui/`, or what is wrong with it."""
        known = self._forms.get(file)
        if known is None or known[0] is not content:
            known = self._forms[file] = content, _form(file, content, is_schema=is_schema)
        return known[1]

    def completed(self, described: FunctionDescriptor, more: Mapping[str, Any]) -> FunctionDescriptor:
        """`described` with the fields of `more`."""
        known = self._completed.get(described.id)
        if known is None or known[0] is not described or known[1] != more:
            known = self._completed[described.id] = described, more, described.model_copy(update=dict(more))
        return known[2]

    def looks(self, file: str, described: FunctionDescriptor, uischema: Mapping[str, Any] | None) -> Looks:
        """What is wrong with the conditions of its form, by path in the UI schema, and with its views, by path in it."""
        known = self._looks.get((file, described.id))
        if known is None or known[0] is not described or known[1] is not uischema:
            said = uischema if uischema is not None else {"fields": described.ui.fields}
            conditions = form_faults(described.params, said) if speaks_of_conditions(said) else ()
            known = self._looks[file, described.id] = described, uischema, (conditions, view_faults(described))
        return known[2]

    def types(self, sets: Mapping[str, bytes]) -> TypeRegistry:
        """Raises as `TypeRegistry.build` does."""
        if self._types is None or self._types[0] != sets:
            self._types = dict(sets), TypeRegistry.build(sets)
        return self._types[1]


def _form(file: str, content: bytes, *, is_schema: bool) -> Form:
    value, faults = read_json(content, file, DESCRIPTOR_BYTES)
    if not faults and not isinstance(value, dict):
        faults = [Fault(file=file, path="$", message=Message("must be an object", "必须是对象"))]
    if not faults and is_schema:
        faults = [Fault(file=file, path=json_path(path), message=message) for path, message in schema_faults(value)]
    return (None, faults) if faults else (value, [])
