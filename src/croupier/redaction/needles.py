"""The forms in which a secret is looked for."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""A shorter secret, in bytes, is not looked for: it would be found in everything."""
_ARMOUR = b"-----"
_LINE = 16
"""A line of a secret of several lines is looked for by itself if it has as many bytes."""


@dataclass(frozen=True, slots=True)
class Needle:
    text: bytes
    before: bool = False
    """The base64 character before it may hold bits of the secret too."""
    after: bool = False


def needles_of(secret: bytes) -> frozenset[Needle]:
    """Nothing for a secret of fewer bytes than `SHORTEST`."""
    found: set[Needle] = set()
    for part in _parts(secret):
        found.update(Needle(text) for text in _escaped(part) if len(text) >= SHORTEST)
        found.update(_base64(part))
    return frozenset(found)


def _parts(secret: bytes) -> Iterator[bytes]:
    if len(secret) < SHORTEST:
        return
    yield secret
    lines = secret.splitlines()
    if len(lines) > 1:
        for line in lines:
            stripped = line.strip()
            if len(stripped) >= _LINE and not stripped.startswith(_ARMOUR):
                yield stripped


def _escaped(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield from _in_urls(secret)
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield from _in_json(text)


def _in_urls(secret: bytes) -> Iterator[bytes]:
    everything = "".join(f"%{byte:02X}" for byte in secret)
    # By what each library leaves as it is: Python, Go and Java, JavaScript's encodeURIComponent, RFC 3986's reserved ones.
    forms = {quote(secret, safe=safe) for safe in ("", "/", "!*'()", "~!*'()", ":/?#[]@!$&'()*+,;=")}
    for form in forms | {quote_plus(secret), quote_plus(secret, safe="*"), everything}:
        yield form.encode()
        yield _lower_hex(form).encode()


def _lower_hex(form: str) -> str:
    first, *rest = form.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _in_json(text: str) -> Iterator[bytes]:
    for form in {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}:
        for slashed in {form, form.replace("/", "\\/")}:
            yield slashed.encode(errors="replace")
            yield _upper_escapes(slashed).encode(errors="replace")
            yield json.dumps(slashed, ensure_ascii=False)[1:-1].encode(errors="replace")  # JSON within JSON
    # As serializers write it that keep JSON out of the way of HTML (Go's, for one).
    yield "".join(
        f"\\u{ord(each):04x}" if each in "<>&" else json.dumps(each, ensure_ascii=False)[1:-1] for each in text
    ).encode(errors="replace")


def _upper_escapes(form: str) -> str:
    first, *rest = form.split("\\u")
    return first + "".join(f"\\u{part[:4].upper()}{part[4:]}" for part in rest)


def _base64(secret: bytes) -> Iterator[Needle]:
    """At each of the three offsets at which it may stand in what was encoded, without the characters that it shares."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + secret).rstrip(b"=")
        shared = (offset + len(secret)) % 3 != 0
        core = encoded[(0, 2, 3)[offset] : len(encoded) - 1 if shared else None]
        yield Needle(core, before=offset > 0, after=shared)
        yield Needle(core.replace(b"+", b"-").replace(b"/", b"_"), before=offset > 0, after=shared)
