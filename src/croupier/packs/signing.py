"""Who stands for a pack: ed25519 signatures (RFC 8032) over its name and the digest of its content.

A signature lies in the pack as `signature.json` and is no part of what it signs. Keys are files as OpenSSH knows them, so
`ssh-keygen -t ed25519` makes them too: a private key, and a public one of one line, many of which make a file of trusted
keys.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from croupier.errors import InvalidArgument, PermissionDenied

SIGNATURE_FILE = "signature.json"
ALGORITHM = "ed25519"
KEY_BYTES = 65_536
"""The largest file of keys."""
_SIGNATURE_BYTES = 4096
_WHAT = "croupier pack signature, form 1"
_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What `signature.json` says; whether it is true is for `verify` to find out."""

    key_id: str
    algorithm: str
    name: str
    digest: str
    signature: str
    """base64"""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    key: Ed25519PublicKey
    comment: str
    """Whose it is, as the file says."""


def key_id(key: Ed25519PublicKey) -> str:
    """16 hex digits by which people tell keys apart; nothing is trusted because of them."""
    return hashlib.sha256(key.public_bytes(*_RAW)).hexdigest()[:16]


# ------------------------------------------------------------------------------------------------ keys


def make_key(comment: str) -> tuple[bytes, bytes]:
    """A new private key and its public one, as files."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public + b" " + comment.encode() + b"\n"


def read_private_key(content: bytes) -> Ed25519PrivateKey:
    """A key as OpenSSH or PKCS 8 (PEM) write it, without a passphrase. Raises InvalidArgument, which never quotes it."""
    try:
        if b"OPENSSH PRIVATE KEY" in content:
            key: object = serialization.load_ssh_private_key(content, None)
        else:
            key = serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause might quote what is in the file.
        raise InvalidArgument("the key file cannot be read: it must hold an ed25519 key without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidArgument("the key is not an ed25519 key: make one with `croupier pack keygen`")
    return key


def read_trusted_keys(content: bytes) -> dict[str, TrustedKey]:
    """Public keys by their ids: one a line as OpenSSH writes it; `#` begins a comment. Raises InvalidArgument."""
    if len(content) > KEY_BYTES:
        raise InvalidArgument(f"a file of trusted keys has at most {KEY_BYTES} bytes")
    found: dict[str, TrustedKey] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith(b"#"):
            key = _public_key(line.strip(), number)
            comment = b" ".join(line.split()[2:]).decode(errors="replace")
            found[key_id(key)] = TrustedKey(key, comment)
    return found


def _public_key(line: bytes, number: int) -> Ed25519PublicKey:
    try:
        key = serialization.load_ssh_public_key(line)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidArgument(
            f"line {number} of the trusted keys is no ed25519 public key: write `ssh-ed25519 AAAA… name`"
        )
    return key


# ------------------------------------------------------------------------------------------------ signatures


def sign(key: Ed25519PrivateKey, name: str, digest: str) -> Signature:
    return Signature(
        key_id=key_id(key.public_key()),
        algorithm=ALGORITHM,
        name=name,
        digest=digest,
        signature=base64.b64encode(key.sign(_signed(name, digest))).decode(),
    )


def verify(signature: Signature, trusted: Mapping[str, TrustedKey], name: str, digest: str) -> str:
    """Whose signature it is: the trusted key's comment, or its id. Raises PermissionDenied when it is not good."""
    if signature.algorithm != ALGORITHM:
        raise PermissionDenied(f"pack {name} is signed by {signature.algorithm[:40]!a}: only {ALGORITHM} is known")
    known = trusted.get(signature.key_id)
    if known is None:
        raise PermissionDenied(
            f"pack {name} is signed by the key {signature.key_id[:40]!a}, which nobody here trusts: add its public key to "
            "the trusted keys, or have the pack signed by one that is trusted"
        )
    if (signature.name, signature.digest) != (name, digest):
        raise PermissionDenied(
            f"the signature of pack {name} is another pack's, or the pack was changed since: sign it anew"
        )
    try:
        known.key.verify(base64.b64decode(signature.signature, validate=True), _signed(name, digest))
    except (InvalidSignature, binascii.Error):
        raise PermissionDenied(f"the signature of pack {name} is false: get the pack from its source again") from None
    return known.comment or signature.key_id


def signature_json(signature: Signature) -> bytes:
    return orjson.dumps(asdict(signature), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def parse_signature(content: bytes) -> Signature:
    """Raises InvalidArgument."""
    try:
        found: Any = orjson.loads(content[: _SIGNATURE_BYTES + 1])
        return Signature(**{field.name: _text(found[field.name]) for field in fields(Signature)})
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        raise InvalidArgument(f"{SIGNATURE_FILE} is no signature: sign the pack anew") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _signed(name: str, digest: str) -> bytes:
    """Its parts are told apart by line ends, which neither of them can have."""
    return f"{_WHAT}\n{name}\n{digest}\n".encode()
