import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*$")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Documentation:
    summary: str = ""
    description: str = ""
    """What comes between the first line and the first section."""
    arguments: dict[str, str] = field(default_factory=dict)


def parse_docstring(text: str | None) -> Documentation:
    """A docstring in Google style: the first line, the text below it, and what `Args:` says of each parameter."""
    lines = inspect.cleandoc(text or "").splitlines()
    if not lines:
        return Documentation()
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in lines[1:]:
        if match := _SECTION.match(line):
            name = match[1]
        sections.setdefault(name, []).append(line)
    body = " ".join(line.strip() for line in sections[""]).strip()
    arguments = sections.get("Args") or sections.get("Arguments") or sections.get("Parameters") or []
    return Documentation(summary=lines[0].strip(), description=body, arguments=_arguments(arguments[1:]))


def _arguments(lines: list[str]) -> dict[str, str]:
    """Each argument begins at the indent of the first; deeper lines go on."""
    found: dict[str, str] = {}
    indent: int | None = None
    name = ""
    for line in lines:
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None else indent
        match = _ARGUMENT.match(line.strip())
        if depth <= indent and match:
            name = match[1]
            found[name] = match[2].strip()
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
