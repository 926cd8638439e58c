"""The shared fixtures of `conformance/`, as pytest takes them. Their format is told in conformance/README.md."""

import json
from pathlib import Path
from typing import Any

import pytest

CONFORMANCE = Path(__file__).resolve().parents[3] / "conformance"


def suite(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONFORMANCE / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def cases(kind: str) -> list[Any]:
    """Every case of this kind, from whatever file of `conformance/forms` it is in."""
    found = []
    for path in sorted((CONFORMANCE / "forms").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] == kind:
            common = {"context": document["context"]} if "context" in document else {}
            found += [pytest.param({**common, **case}, id=case["name"]) for case in document["cases"]]
    return found
