import json
import stat

import pytest

from croupier.cli.connection import client_settings
from croupier.cli.sessions import KeptSession, keep_session, kept_session, session_file
from croupier.errors import FailedPrecondition

ANN = KeptSession(token="crs_1_" + "a" * 43, name="ann", expires_ms=7)
HERE, THERE = "http://127.0.0.1:8080", "https://croupier.example.org"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CROUPIER_TOKEN", "CROUPIER_URL", "CROUPIER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_session_is_kept_for_its_server_where_nobody_else_can_read_it(home):
    assert kept_session(HERE) is None
    assert keep_session(HERE, ANN) is False
    assert session_file().is_relative_to(home)
    assert stat.S_IMODE(session_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(session_file().parent.stat().st_mode) == 0o700
    assert kept_session(HERE) == ANN
    assert kept_session(THERE) is None


def test_a_session_replaces_the_one_before_and_leaves_other_servers_theirs():
    other = KeptSession(token="crs_2_" + "b" * 43, name="bob", expires_ms=8)
    keep_session(HERE, ANN)
    keep_session(THERE, other)
    assert keep_session(HERE, other) is True
    assert keep_session(HERE, None) is True
    assert keep_session(HERE, None) is False
    assert (kept_session(HERE), kept_session(THERE)) == (None, other)
    assert [each.name for each in session_file().parent.iterdir()] == ["sessions.json"]


def test_a_session_is_used_where_there_is_no_token():
    keep_session(HERE, ANN)
    assert client_settings(config=None).token.get_secret_value() == ANN.token
    assert client_settings(config=None, with_session=False).token is None
    assert client_settings(config=None, token="a-token-of-my-own").token.get_secret_value() == "a-token-of-my-own"
    assert client_settings(config=None, url=THERE).token is None


@pytest.mark.parametrize(
    "content",
    ["", "[]", "7", '{"a": 7}', '{"a": {}}', '{"a": {"token": "t"}}', "\x00", "[" * 100_000],
    ids=range(8),
)
def test_a_file_that_holds_something_else_is_named_and_not_quoted(content):
    keep_session(HERE, ANN)
    session_file().write_text(content)
    with pytest.raises(FailedPrecondition, match="holds no sessions"):
        kept_session(HERE)


def test_a_file_that_others_can_read_or_that_leads_elsewhere_is_refused(home):
    keep_session(HERE, ANN)
    session_file().chmod(0o640)
    with pytest.raises(FailedPrecondition, match="read by others"):
        kept_session(HERE)
    session_file().unlink()
    (home / "elsewhere").write_text(json.dumps({}))
    session_file().symlink_to(home / "elsewhere")
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        kept_session(HERE)


def test_a_session_says_nothing_of_its_secret():
    assert ANN.token not in repr(ANN)
