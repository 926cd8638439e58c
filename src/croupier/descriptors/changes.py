"""How one version of a description differs from another, in words that a person decides by."""

from dataclasses import dataclass
from typing import Literal

from croupier.descriptors.faults import Message

Verdict = Literal["same", "compatible", "breaking"]
What = Literal["added", "removed", "changed", "narrowed", "widened"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    path: str
    """A JSONPath into the description, as `Fault.path`."""
    what: What
    breaking: bool
    """Whether somebody who called the old version may fail with the new one, or be surprised by it."""
    why: Message

    def document(self) -> dict[str, object]:
        return {"path": self.path, "what": self.what, "breaking": self.breaking, "why": self.why.document()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    changes: tuple[Change, ...]
    """The breaking ones first."""
    verdict: Verdict

    def document(self) -> dict[str, object]:
        return {"verdict": self.verdict, "changes": [change.document() for change in self.changes]}
