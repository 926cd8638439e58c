"""Roles and bindings as YAML files, to be kept in git:

roles:
  support:
    description: answers players
    permissions: [function:player.*, calls:read]
bindings:
  - {subject: group:gm, role: support, game_id: game001, env: prod}      # game_id and env: all, where nothing is said
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from croupier.domain.policy import Binding, Role, read_binding, read_role
from croupier.errors import InvalidArgument
from croupier.settings.document import BYTES, Document, dotted, parse
from croupier.settings.document import Path as At
from croupier.settings.faults import Fault

SUFFIXES = frozenset({".yaml", ".yml"})
MOST_FILES = 1_000
_ROLE_FIELDS = frozenset({"description", "permissions"})
_BINDING_FIELDS = frozenset({"subject", "role", "game_id", "env"})


@dataclass(kw_only=True, slots=True)
class PolicyFiles:
    """What some files say together, and everything that is wrong with them."""

    roles: dict[str, Role] = field(default_factory=dict)
    bindings: dict[Binding, str] = field(default_factory=dict)
    """Each with its file."""
    faults: list[Fault] = field(default_factory=list)


def read_policy_files(path: Path) -> PolicyFiles:
    """The file, or all YAML files of the folder and those below it."""
    found = PolicyFiles()
    files = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES) if path.is_dir() else [path]
    if not files or len(files) > MOST_FILES:
        problem = f"{len(files)} YAML files: a policy is 1 to {MOST_FILES}"
        found.faults.append(Fault(source=str(path), message=problem))
        return found
    for file in files:
        _read(file, found)
    return found


def _read(file: Path, found: PolicyFiles) -> None:
    source = str(file)
    try:
        with file.open("rb") as opened:
            raw = opened.read(BYTES + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        found.faults.append(Fault(source=source, message=f"cannot be read: {error}"))
        return
    if len(raw) > BYTES:
        found.faults.append(Fault(source=source, message=f"larger than {BYTES} bytes"))
        return
    document = parse(text, source)
    reader = _Reader(source, document, found)
    found.faults += document.faults
    reader.take()


class _Reader:
    def __init__(self, source: str, document: Document, found: PolicyFiles) -> None:
        self._source = source
        self._document = document
        self._found = found

    def take(self) -> None:
        values = self._document.values
        if values is None:
            return
        if not isinstance(values, dict):
            self._fault((), "a policy has the keys roles and bindings")
            return
        for name in sorted(values.keys() - {"roles", "bindings"}):
            self._fault((name,), "unknown key: a policy has roles and bindings")
        for at, entry in self._entries(values, "roles", dict):
            self._role(at, entry)
        for at, entry in self._entries(values, "bindings", list):
            self._binding(at, entry)

    def _entries(
        self, values: dict[str, object], key: str, kind: type[dict[str, object]] | type[list[object]]
    ) -> Iterator[tuple[At, dict[str, object]]]:
        several = values.get(key)
        if several is None:
            return
        if not isinstance(several, kind):
            self._fault((key,), "roles are written by name" if kind is dict else "bindings are a list")
            return
        pairs: Sequence[tuple[str | int, object]] = list(
            several.items() if isinstance(several, dict) else enumerate(several)
        )
        for name, entry in pairs:
            if isinstance(entry, dict):
                yield (key, name), entry
            else:
                self._fault((key, name), "has fields: write them below it, indented")

    def _role(self, at: At, entry: dict[str, object]) -> None:
        name, patterns = str(at[-1]), entry.get("permissions", [])
        self._known_only(at, entry, _ROLE_FIELDS)
        if not isinstance(patterns, list) or not all(isinstance(each, str) for each in patterns):
            self._fault((*at, "permissions"), "permissions are a list of texts such as packs:read")
            return
        try:
            role = read_role(name, map(str, patterns), str(entry.get("description") or ""))
        except InvalidArgument as error:
            self._fault(at, error.message)
            return
        if name in self._found.roles:
            self._fault(at, f"role {name} is written twice")
        self._found.roles[name] = role

    def _binding(self, at: At, entry: dict[str, object]) -> None:
        self._known_only(at, entry, _BINDING_FIELDS)
        fields = {name: entry.get(name, "*" if name in {"game_id", "env"} else "") for name in _BINDING_FIELDS}
        if not all(isinstance(value, str) for value in fields.values()):
            self._fault(at, "subject, role, game_id and env are texts")
            return
        try:
            binding = read_binding(**{name: str(value) for name, value in fields.items()})
        except InvalidArgument as error:
            self._fault(at, error.message)
            return
        if binding in self._found.bindings:
            self._fault(at, f"written twice; the first is in {self._found.bindings[binding]}")
        self._found.bindings.setdefault(binding, self._source)

    def _known_only(self, at: At, entry: dict[str, object], known: frozenset[str]) -> None:
        for name in sorted(entry.keys() - known):
            self._fault((*at, name), f"unknown field: there are {', '.join(sorted(known))}")

    def _fault(self, at: At, message: str) -> None:
        place = next(
            (self._document.places[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self._document.places),
            (1, 1),
        )
        self._found.faults.append(
            Fault(source=self._source, line=place[0], column=place[1], key=dotted(at), message=message)
        )
