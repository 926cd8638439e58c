"""The key of secrets comes from where the settings say, and nothing of it is ever told."""

import base64
import sys
from pathlib import Path

import pytest

from croupier.errors import FailedPrecondition, InvalidArgument
from croupier.settings import ServerSettings, load, read_secret_key

KEY = bytes(range(32))
WRITTEN = base64.b64encode(KEY).decode()


def key_file(folder: Path, content: str = WRITTEN + "\n", mode: int = 0o600) -> Path:
    path = folder / "secrets.key"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_without_a_place_there_is_no_key():
    assert read_secret_key(None, None) is None


def test_a_key_comes_from_a_file_a_variable_or_a_command(tmp_path: Path):
    path = key_file(tmp_path)
    assert read_secret_key(path, None) == KEY
    assert read_secret_key(None, "THE_KEY", environ={"THE_KEY": f" {WRITTEN}\n"}) == KEY
    command = (sys.executable, "-c", f"import pathlib; print(pathlib.Path({str(path)!r}).read_text())")
    assert read_secret_key(None, None, command) == KEY


@pytest.mark.parametrize(
    "content", ["", "secret-but-no-key", base64.b64encode(b"short").decode(), WRITTEN + WRITTEN, "é"]
)
def test_what_is_no_key_is_refused_without_being_told(tmp_path: Path, content: str):
    for place in (
        lambda: read_secret_key(key_file(tmp_path, content), None),
        lambda: read_secret_key(None, "THE_KEY", environ={"THE_KEY": content}),
    ):
        with pytest.raises(FailedPrecondition, match="is no key") as refusal:
            place()
        assert not content or content not in refusal.value.message
        assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ((sys.executable, "-c", "import sys; print('secret'); sys.exit(3)"), "ended with 3"),
        ((sys.executable, "-c", "print('secret')"), "is no key"),
        (("/nowhere/at-all",), "cannot run"),
    ],
)
def test_a_command_that_gives_no_key_is_named_with_what_it_did(command: tuple[str, ...], says: str):
    with pytest.raises(FailedPrecondition, match=says) as refusal:
        read_secret_key(None, None, command)
    assert "secret'" not in refusal.value.message


def test_a_file_that_others_can_read_is_refused(tmp_path: Path):
    with pytest.raises(FailedPrecondition, match="chmod 600"):
        read_secret_key(key_file(tmp_path, mode=0o644), None)


@pytest.mark.parametrize(
    "secrets",
    [
        {"key_file": "a", "key_env": "B"},
        {"key_env": "B", "key_command": ["c"]},
        {"previous_key_file": "a", "previous_key_env": "B"},
    ],
)
def test_two_places_for_one_key_are_refused(secrets: dict[str, object]):
    with pytest.raises(InvalidArgument, match="name one of"):
        load(ServerSettings, flags={"secrets": secrets})
