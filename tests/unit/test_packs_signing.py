"""Who stands for a pack."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tests.planes.packs_testbed import pack_files

from croupier.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from croupier.packs.pack import Pack
from croupier.packs.reading import read_pack
from croupier.packs.signing import (
    make_key,
    parse_signature,
    read_private_key,
    read_trusted_keys,
    sign,
    signature_json,
    verify,
)
from croupier.packs.tar import read_archive
from croupier.server.packs import Trust

PRIVATE, PUBLIC = make_key("ann@studio")
KEY, TRUSTED = read_private_key(PRIVATE), read_trusted_keys(PUBLIC)
DIGEST = "ab" * 32


def signed(name: str = "prom", **manifest: str) -> Pack:
    pack = read_pack(pack_files(name, **manifest))
    return replace(pack, signature=sign(KEY, pack.name, pack.digest))


def test_a_signature_says_whose_it_is():
    assert verify(sign(KEY, "prom", DIGEST), TRUSTED, "prom", DIGEST) == "ann@studio"


def test_a_signature_travels_in_the_archive_and_does_not_change_the_digest():
    pack = signed()
    again = read_pack(read_archive(pack.archive()))
    assert again.signature == pack.signature
    assert again.digest == read_pack(pack_files("prom")).digest
    assert again.archive() == pack.archive()


def test_a_signature_is_of_one_name_and_one_content():
    signature = sign(KEY, "prom", DIGEST)
    for name, digest in (("other", DIGEST), ("prom", "cd" * 32)):
        with pytest.raises(PermissionDenied, match="another pack's"):
            verify(signature, TRUSTED, name, digest)
        with pytest.raises(PermissionDenied, match="false"):
            verify(replace(signature, name=name, digest=digest), TRUSTED, name, digest)


def test_a_key_that_nobody_trusts_is_named():
    private, public = make_key("mallory")
    (stranger,) = read_trusted_keys(public)
    with pytest.raises(PermissionDenied, match=f"{stranger}.*nobody here trusts"):
        verify(sign(read_private_key(private), "prom", DIGEST), TRUSTED, "prom", DIGEST)


@pytest.mark.parametrize("text", ["", "AAAA", "no base64!", "A" * 88])
def test_a_signature_that_is_rubbish_is_false(text: str):
    with pytest.raises(PermissionDenied, match="false"):
        verify(replace(sign(KEY, "prom", DIGEST), signature=text), TRUSTED, "prom", DIGEST)


def test_another_algorithm_is_not_believed():
    with pytest.raises(PermissionDenied, match="only ed25519"):
        verify(replace(sign(KEY, "prom", DIGEST), algorithm="none"), TRUSTED, "prom", DIGEST)


def test_a_signature_file_is_read_as_it_was_written():
    signature = sign(KEY, "prom", DIGEST)
    assert parse_signature(signature_json(signature)) == signature


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"key_id":1}', b"x" * 5000, b"[" * 4000])
def test_what_is_no_signature_file_is_refused(content: bytes):
    with pytest.raises(InvalidArgument, match="no signature"):
        parse_signature(content)


# ------------------------------------------------------------------------------------------------ keys


def test_trusted_keys_are_one_a_line_with_comments():
    other = make_key("bob@studio, the second")[1]
    found = read_trusted_keys(b"# ours\n\n" + PUBLIC + b"  " + other)
    assert [key.comment for key in found.values()] == ["ann@studio", "bob@studio, the second"]


@pytest.mark.parametrize(
    "line",
    [b"ssh-rsa AAAA x", b"rubbish", PUBLIC[:30], b"\xff\xfe", PRIVATE],
    ids=["another kind", "rubbish", "half a key", "no text", "a private key"],
)
def test_a_line_that_is_no_key_is_named(line: bytes):
    with pytest.raises(InvalidArgument, match="line 2 of the trusted keys"):
        read_trusted_keys(PUBLIC + line)


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", PUBLIC, PRIVATE[:-60]], ids=["nothing", "rubbish", "a public key", "a cut key"]
)
def test_what_is_no_private_key_is_refused_without_being_quoted(content: bytes):
    with pytest.raises(InvalidArgument) as error:
        read_private_key(content)
    assert error.value.__cause__ is None
    assert content[20:40].decode() not in error.value.message or not content[20:40]


def test_another_kind_of_key_is_refused():
    rsa = generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(InvalidArgument, match="not an ed25519 key"):
        read_private_key(rsa)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_keys_of_openssh_are_keys_here(tmp_path: Path):
    file = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f", str(file)], check=True)
    key = read_private_key(file.read_bytes())
    trusted = read_trusted_keys(file.with_suffix(".pub").read_bytes())
    assert verify(sign(key, "prom", DIGEST), trusted, "prom", DIGEST) == "ann"


# ------------------------------------------------------------------------------------------------ whom a server trusts


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "trusted_keys"
    file.write_bytes(PUBLIC)
    return file


def test_a_pack_that_a_trusted_key_signed_is_admitted(keys: Path):
    assert Trust(keys=keys).admit(signed()) == "ann@studio"


def test_an_unsigned_pack_is_admitted_only_where_that_is_allowed(keys: Path):
    unsigned = read_pack(pack_files("prom"))
    with pytest.raises(PermissionDenied, match="croupier pack sign"):
        Trust(keys=keys).admit(unsigned)
    assert Trust(keys=keys, allow_unsigned=True).admit(unsigned) == ""


def test_a_false_signature_is_refused_even_where_none_is_needed(keys: Path):
    stolen = replace(read_pack(pack_files("prom", version="6.6.6")), signature=signed().signature)
    with pytest.raises(PermissionDenied):
        Trust(keys=keys, allow_unsigned=True).admit(stolen)


def test_a_signature_of_a_stranger_counts_as_none():
    assert Trust(allow_unsigned=True).admit(signed()) == ""
    with pytest.raises(PermissionDenied, match="nobody here trusts"):
        Trust().admit(signed())


def test_a_key_that_is_taken_out_counts_no_more(keys: Path):
    trust = Trust(keys=keys)
    assert trust.admit(signed())
    keys.write_bytes(b"")
    with pytest.raises(PermissionDenied):
        trust.admit(signed())


def test_a_file_of_keys_that_is_gone_is_told(keys: Path):
    keys.unlink()
    with pytest.raises(FailedPrecondition, match="trusted keys cannot be read"):
        Trust(keys=keys).admit(signed())
