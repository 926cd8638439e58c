import asyncio
import logging

import orjson
import pytest

from croupier.agent.registrations import Keeper, Registration, load, save
from croupier.domain.function import FunctionRef, Service
from croupier.errors import Unavailable

REGISTRATION = Registration(
    service=Service(
        service_id="game-1",
        version="1.0",
        addr="127.0.0.1:20081",
        functions=(FunctionRef("player.ban", "1.0.0"), FunctionRef("player.get", "")),
        manifest_json=b'[{"id":"player.ban"}]',
    ),
    session_id="s1",
    last_seen=1_000.5,
)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "deep" / "registrations.json"
    save(path, [REGISTRATION])
    assert load(path) == [REGISTRATION]
    save(path, [])
    assert load(path) == []
    assert [each.name for each in path.parent.iterdir()] == ["registrations.json"]


def test_nothing_kept_is_nothing(tmp_path):
    assert load(tmp_path / "registrations.json") == []


def kept(**values):
    entry = {
        "service_id": "a",
        "version": "",
        "addr": "",
        "functions": [],
        "manifest": "",
        "session_id": "",
        "last_seen": 1,
    }
    return orjson.dumps({"registrations": [entry | values]})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"registrations": 7}',
        b'{"registrations": [{}]}',
        b'{"registrations": [{"service_id": 1}]}',
        kept(manifest="?"),
        kept(last_seen="soon"),
        kept(functions=[{"id": 7, "version": ""}]),
    ],
)
def test_a_damaged_file_is_put_aside_with_a_warning(tmp_path, caplog, content):
    path = tmp_path / "registrations.json"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load(path) == []
    assert "cannot be understood" in caplog.text
    assert not path.exists()
    (aside,) = tmp_path.iterdir()
    assert ".damaged-" in aside.name
    assert aside.read_bytes() == content


async def test_a_registration_is_kept_before_it_is_acknowledged(tmp_path):
    path = tmp_path / "registrations.json"
    keeper = Keeper(path, lambda: [REGISTRATION])
    running = asyncio.create_task(keeper.run())
    await asyncio.gather(keeper.kept(), keeper.kept())
    assert load(path) == [REGISTRATION]
    running.cancel()


async def test_a_disk_that_refuses_is_said_to_who_waits(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    keeper = Keeper(tmp_path / "file" / "registrations.json", lambda: [REGISTRATION])
    running = asyncio.create_task(keeper.run())
    with pytest.raises(Unavailable, match=r"cannot be kept on disk: .*register again"):
        await keeper.kept()
    assert "trying again" in caplog.text
    running.cancel()
