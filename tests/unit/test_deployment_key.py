import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import FailedPrecondition
from croupier.server.access.keys import DeploymentKey, load_key

KEY = DeploymentKey(bytes(32))


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(tmp_path):
    made = load_key(tmp_path / "data")
    file = tmp_path / "data" / "key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_key(tmp_path / "data").derive("x") == made.derive("x")
    assert len(base64.b64decode(file.read_bytes())) == 32


def test_every_purpose_has_a_key_of_its_own_and_keeps_it():
    assert KEY.derive("audit").hex() == DeploymentKey(bytes(32)).derive("audit").hex()
    assert len({KEY.derive(purpose) for purpose in ("audit", "secrets", "audit ", "")}) == 4
    assert DeploymentKey(b"\x01" * 32).derive("audit") != KEY.derive("audit")


def test_a_key_says_nothing_of_itself():
    key = DeploymentKey(b"0123456789abcdef0123456789abcdef")
    assert "0123" not in repr(key)
    assert "0123" not in repr(key.seal_for("x"))


@given(st.binary(max_size=100), st.text(max_size=20).filter(lambda text: text.isprintable()))
def test_what_is_sealed_opens_with_the_same_words(plain, about):
    seal = KEY.seal_for("x")
    assert seal.open(seal.close(plain, about), about) == plain


@pytest.mark.parametrize("position", range(1 + 12 + 6 + 16))
def test_nothing_opens_that_was_changed_anywhere(position):
    closed = bytearray(KEY.seal_for("x").close(b"secret", "user u1"))
    closed[position] ^= 1
    with pytest.raises(FailedPrecondition, match="the key file it had before"):
        KEY.seal_for("x").open(bytes(closed), "user u1")


def test_nothing_opens_for_another_or_by_another_key_or_cut_short():
    closed = KEY.seal_for("x").close(b"secret", "user u1")
    attempts = [
        (KEY.seal_for("x"), closed, "user u2"),
        (KEY.seal_for("y"), closed, "user u1"),
        (DeploymentKey(b"\x01" * 32).seal_for("x"), closed, "user u1"),
        (KEY.seal_for("x"), b"", "user u1"),
        (KEY.seal_for("x"), closed[:5], "user u1"),
        (KEY.seal_for("x"), closed[:-1], "user u1"),
    ]
    for seal, what, about in attempts:
        with pytest.raises(FailedPrecondition):
            seal.open(what, about)


@pytest.mark.parametrize("content", ["", "short", base64.b64encode(bytes(31)).decode(), "§" * 44, "A" * 5000])
def test_a_file_that_holds_no_key_is_named_and_never_quoted(tmp_path, content):
    file = tmp_path / "mine"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(FailedPrecondition, match="mine holds no key") as caught:
        load_key(tmp_path, file)
    assert len(content) < 3 or content not in str(caught.value)


def test_a_key_file_that_was_named_is_never_made(tmp_path):
    with pytest.raises(FailedPrecondition, match="mine cannot be used"):
        load_key(tmp_path, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    load_key(tmp_path)
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(FailedPrecondition, match="chmod 600"):
        load_key(tmp_path)
