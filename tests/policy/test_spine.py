"""Whatever runs a function goes through the spine: nothing else can choose an agent for a call."""

import ast
from pathlib import Path

import croupier.server

SERVER = Path(croupier.server.__file__).parent
SPINE = {"calls.py", "jobs.py"}
"""Where a call is checked, recorded and sent, and where a job is."""


def importers(module: str) -> set[str]:
    found = set()
    for path in SERVER.rglob("*.py"):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if module in source else ():
            names = (
                [node.module or ""] if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else []
            )  # fmt: skip
            if module in names:
                found.add(str(path.relative_to(SERVER)))
    return found


def test_only_the_spine_knows_the_router() -> None:
    assert importers("croupier.server.dispatch.router") == SPINE | {
        "foundation.py",
        "dispatch/broadcast.py",
        "dispatch/preview.py",
    }
    assert importers("croupier.server.dispatch.broadcast") == {"calls.py"}
    assert importers("croupier.server.dispatch.preview") == {"calls.py", "gates.py"}


def test_every_entry_reaches_functions_through_the_spine_only() -> None:
    entries = {"http/entry.py", "http/entity_orders.py", "control/functions.py"}
    for entry in entries:
        source = (SERVER / entry).read_text()
        assert "dispatch" not in source, f"{entry} goes round the spine"
    assert {path for path in importers("croupier.server.calls") if "/" in path} <= entries
