"""A YAML file as plain values that know where they stand.

Only what configuration needs is accepted: one document of mappings, lists and scalars. Aliases are refused, because a
short file of them unfolds to a huge value; so are tags, deep nesting and repeated keys. All of it is checked on the
parser's events, before anything recursive runs over the input.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from croupier.settings.faults import Fault

BYTES = 1_000_000
DEPTH = 16

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    values: object
    places: Mapping[Path, Place]
    """Line and column of every key and list item, from 1."""
    faults: tuple[Fault, ...]


def parse(text: str, source: str) -> Document:
    """What `text` says, and every fault of its form. After a fault of syntax `values` is None."""
    try:
        faults = list(_forbidden(text, source))
        root = None if faults else yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        faults, root = [Fault(source=source, line=line, column=column, message=f"not YAML: {problem}")], None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        faults, root = [Fault(source=source, line=line, column=1, message="a character that YAML does not allow")], None
    walk = _Walk(source)
    values = walk.value(root, ()) if root is not None else None
    return Document(values=values, places=walk.places, faults=(*faults, *walk.faults))


def _forbidden(text: str, source: str) -> Iterator[Fault]:
    depth = documents = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line, column = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent):
            yield Fault(
                source=source, line=line, column=column, message="aliases are not accepted: write the value again"
            )
        elif getattr(event, "tag", None) is not None:
            yield Fault(source=source, line=line, column=column, message="tags are not accepted: write the plain value")
        elif depth > DEPTH:
            yield Fault(source=source, line=line, column=column, message=f"nested more than {DEPTH} deep")
            return
        elif documents > 1:
            yield Fault(source=source, line=line, column=column, message="a second document: one file holds one")
            return


class _Walk:
    def __init__(self, source: str) -> None:
        self.source = source
        self.places: dict[Path, Place] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.places[(*path, index)] = _place(item)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node.tag, str(node.value))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, path, "a key must be a plain word")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in values:
                line, _ = self.places[here]
                self._fault(key_node, here, f"given twice; the first is on line {line}")
                continue
            self.places[here] = _place(key_node)
            values[key] = self.value(value_node, here)
        return values

    def _fault(self, node: yaml.Node, path: Path, message: str) -> None:
        line, column = _place(node)
        self.faults.append(Fault(source=self.source, line=line, column=column, key=dotted(path), message=message))


def dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(tag: str, text: str) -> object:
    """Numbers, true, false and null; anything else is text.

    YAML 1.1 reads `on`, `no`, `1:30` and dates as something else than they look: here they stay text.
    """
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind == "int" and text.lstrip("+-").isdecimal() and len(text) <= 18:
        return int(text)
    if kind == "float" and set(text) <= set("0123456789+-.eE"):
        return float(text)
    return text
