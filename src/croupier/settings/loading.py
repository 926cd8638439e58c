import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from croupier.errors import InvalidArgument
from croupier.settings.document import BYTES, Document, Place, dotted, parse
from croupier.settings.faults import Fault
from croupier.settings.models import SECTIONS, Settings

CONFIG_VARIABLE = "CROUPIER_CONFIG"

S = TypeVar("S", bound=Settings)


def load(
    model: type[S],
    *,
    flags: Mapping[str, object],
    environ: Mapping[str, str] = os.environ,
    config: Path | None = None,
) -> S:
    """The section `model`, field by field from `flags` (None: not given), `environ`, the file, the defaults.

    `config` names the file, or CROUPIER_CONFIG does. An empty variable counts as not set, and an unknown one is left
    alone (container platforms set names such as CROUPIER_SERVER_SERVICE_HOST by themselves).
    Raises InvalidArgument with every fault, one a line.
    """
    name = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    sources = _Sources(section=model.section)
    faults = sources.read_file(name) if name else []
    for key in model.model_fields:
        variable = model.variable_prefix + key.upper()
        if environ.get(variable):
            sources.put(key, environ[variable], f"variable {variable}")
        if flags.get(key) is not None:
            sources.put(key, flags[key], f"flag --{key.replace('_', '-')}")
    try:
        settings = model.model_validate(sources.values)
    except ValidationError as error:
        faults += [sources.fault(model, each) for each in error.errors(include_url=False, include_input=False)]
        settings = None
    if settings is None or faults:
        raise InvalidArgument("\n".join(str(fault) for fault in faults))
    return settings


def check_file(name: Path) -> list[Fault]:
    """Every fault of the file, in the order of its lines.

    A field without a default may be absent, since a variable or a flag can give it.
    """
    document = _read(name)
    faults = [*document.faults, *_unknown_sections(document, str(name))]
    for model in SECTIONS:
        sources = _Sources(section=model.section)
        faults += sources.take(document, str(name))
        try:
            model.model_validate(sources.values)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            faults += [
                sources.fault(model, each) for each in details if each["type"] != "missing" or len(each["loc"]) > 1
            ]
    return sorted(faults)


def _read(name: Path) -> Document:
    try:
        with name.open("rb") as file:
            raw = file.read(BYTES + 1)
        if len(raw) > BYTES:
            return _broken(name, f"larger than {BYTES} bytes")
        return parse(raw.decode("utf-8-sig"), str(name))
    except OSError as error:
        return _broken(name, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        return _broken(name, f"not UTF-8 at byte {error.start}")


def _broken(name: Path, message: str) -> Document:
    return Document(values=None, places={}, faults=(Fault(source=str(name), message=message),))


def _unknown_sections(document: Document, source: str) -> list[Fault]:
    known = [model.section for model in SECTIONS]
    if document.values is None:
        return []
    if not isinstance(document.values, dict):
        return [
            Fault(
                source=source, line=1, column=1, message=f"the file must be a mapping of sections: {', '.join(known)}"
            )
        ]
    return [
        _fault_at(document, source, (name,), f"no such section{_did_you_mean(name, known)}")
        for name in document.values
        if name not in known
    ]


def _fault_at(document: Document, source: str, path: tuple[str | int, ...], message: str) -> Fault:
    place: Place = (1, 1)
    for length in range(len(path), 0, -1):
        if path[:length] in document.places:
            place = document.places[path[:length]]
            break
    return Fault(source=source, line=place[0], column=place[1], key=dotted(path), message=message)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names)}"


@dataclass(kw_only=True, slots=True)
class _Sources:
    """The values of one section, and where each came from."""

    section: str
    values: dict[str, Any] = field(default_factory=dict)
    overlaid: dict[str, str] = field(default_factory=dict)
    document: Document | None = None
    source: str = "settings"

    def read_file(self, name: Path) -> list[Fault]:
        document = _read(name)
        return [*document.faults, *_unknown_sections(document, str(name)), *self.take(document, str(name))]

    def take(self, document: Document, source: str) -> list[Fault]:
        self.document, self.source = document, source
        section = document.values.get(self.section) if isinstance(document.values, dict) else None
        if isinstance(section, dict):
            self.values = dict(section)
        elif section is not None:
            return [_fault_at(document, source, (self.section,), "must be a mapping of settings")]
        return []

    def put(self, key: str, value: object, origin: str) -> None:
        self.values[key] = value
        self.overlaid[key] = origin

    def fault(self, model: type[Settings], error: ErrorDetails) -> Fault:
        path = (self.section, *error["loc"])
        key = str(error["loc"][0]) if error["loc"] else ""
        message = error["msg"]
        if error["type"] == "extra_forbidden":
            message = f"no such setting{_did_you_mean(key, model.model_fields) if len(error['loc']) == 1 else ''}"
        elif error["type"] == "missing" and len(error["loc"]) == 1:
            variable, flag = model.variable_prefix + key.upper(), key.replace("_", "-")
            message = f"is missing: give --{flag}, set {variable}, or write it in the file"
            return Fault(source=self.source, key=dotted(path), message=message)
        elif error["type"] == "string_type":
            message = "must be text: put it in quotes"
        elif error["type"] == "tuple_type":
            message = "must be a list: [first, second]"
        elif error["type"] in {"dict_type", "model_type"}:
            message = "must be a mapping: {name: value}"
        if key in self.overlaid:
            return Fault(source=self.overlaid[key], key=dotted(path), message=message)
        if self.document is None:
            return Fault(source="default", key=dotted(path), message=message)
        return _fault_at(self.document, self.source, path, message)
