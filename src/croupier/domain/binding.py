"""What an approval is bound to. Whatever of it differs when the call is to run, the approval no longer holds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

_DOMAIN = b"croupier.approval.v1\0"
"""Before what is hashed, so that the digest of an approval is the digest of nothing else."""

_CHANGED = " changed"
_WORDS: Mapping[str, str] = {
    "function_id": "the function",
    "kind": "the way it is run",
    "description_version": "the version of the function's description",
    "description_sha256": "the function's description",
    "arguments_sha256": "the arguments",
    "metadata_sha256": "the metadata",
    "game_id": "the game",
    "env": "the environment",
    "route": "the route",
    "target_service_id": "the game server",
    "hash_key": "the hash key",
    "version": "the wanted version",
    "targets": "the game servers that would get it",
    "requester": "who asks",
    "policy_sha256": "the rules of approval",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    function_id: str
    kind: str
    description_version: str
    description_sha256: str
    arguments_sha256: str
    metadata_sha256: str
    game_id: str
    env: str
    route: str
    target_service_id: str
    hash_key: str
    version: str
    targets: tuple[str, ...]
    """Of a broadcast: everybody who would get it."""
    requester: str
    policy_sha256: str
    """Of the rules that asked for the approval."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of all of it."""
        return hashlib.sha256(_DOMAIN + canonical(asdict(self))).hexdigest()


def canonical(value: object) -> bytes:
    """JSON in one spelling: keys sorted, no spaces, UTF-8. Of texts, whole numbers and what is made of them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256_of(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def drift(then: Bound, now: Bound) -> list[str]:
    """What differs, in words; nothing where the approval still holds."""
    return [changed_words(each.name) for each in fields(Bound) if getattr(then, each.name) != getattr(now, each.name)]


def changed_words(name: str) -> str:
    """Of a field of `Bound`, as `drift` says it."""
    return f"{_WORDS[name]}{_CHANGED}"


def changed_field(words: str) -> str:
    """The field of `Bound` that words of `drift` are about; empty for other words."""
    told = words.removesuffix(_CHANGED)
    return next((name for name, called in _WORDS.items() if called == told != words), "")
