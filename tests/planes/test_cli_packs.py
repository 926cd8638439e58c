"""`croupier pack` against the real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.cli_testbed import Terminal
from tests.planes.packs_testbed import pack_archive
from tests.planes.scripted_agent import Server, running

from croupier.cli.main import run
from croupier.packs.skeleton import skeleton
from croupier.packs.tar import read_archive
from croupier.settings import PacksSettings

TRUSTED = "trusted_keys"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert run(["pack", "new", "shop"]) == 0
    assert run(["pack", "keygen", "key", "--comment", "ann"]) == 0
    Path("key.pub").rename(TRUSTED)
    return tmp_path


@pytest.fixture
async def server(here: Path) -> AsyncIterator[Server]:
    async with running(here / "data", packs=PacksSettings(trusted_keys=here / TRUSTED)) as server:
        yield server


@pytest.fixture
def croupier(server: Server, capsys: Any, monkeypatch: Any) -> Terminal:
    return Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch, words=("pack",))


def put(name: str, content: bytes) -> str:
    Path(name).write_bytes(content)
    return name


def content(name: str) -> bytes:
    return Path(name).read_bytes()


async def test_a_signed_pack_goes_all_its_way(croupier: Terminal):
    assert run(["pack", "sign", "shop", "--key", "key"]) == 0
    code, out, _ = await croupier("install", "shop", "--yes")
    assert (code, out.splitlines()[:2]) == (0, ["shop 0.1.0 install: new", "  + shop.hello"])
    code, out, _ = await croupier("list")
    assert "shop  0.1.0    shop      enabled  1          ann" in out
    code, out, _ = await croupier("show", "shop")
    assert (code, "signed by: ann" in out, "functions: shop.hello" in out) == (0, True, True)
    for verb in ("disable", "uninstall"):
        assert (await croupier(verb, "shop", "--yes"))[0] == 0
    assert "(none)" in (await croupier("list"))[1]
    assert (await croupier("rollback", "shop", "--yes"))[0] == 0
    assert (await croupier("enable", "shop"))[0] == 0
    code, out, _ = await croupier("export", "shop", "-o", "out.tgz")
    assert (code, run(["pack", "verify", "out.tgz", "--trusted", TRUSTED])) == (0, 0)
    assert set(read_archive(content("out.tgz"))) == {*skeleton("shop"), "signature.json"}


async def test_an_unsigned_pack_is_denied(croupier: Terminal):
    code, _, err = await croupier("install", "shop", "--yes")
    assert (code, "croupier pack sign" in err) == (5, True)
    code, _, err = await croupier("install", "shop", "--dry-run")
    assert (code, "in the way: pack shop is not signed" in err) == (1, True)


async def test_a_diff_with_the_server_says_what_is_in_the_way(croupier: Terminal):
    code, out, err = await croupier("diff", put("a.tgz", pack_archive("a", ["a.f"], dependencies=["nobody"])))
    assert (code, "a 1.0.0 install: new" in out) == (1, True)
    assert "in the way: a needs the pack nobody" in err


async def test_faults_that_the_server_finds_are_printed_with_file_and_path(croupier: Terminal):
    code, _, err = await croupier("install", put("a.tgz", pack_archive("a", ["a.f"], version=5)), "--yes")
    assert (code, "manifest.json:$.version: must be text" in err) == (1, True)


async def test_faults_of_a_folder_are_found_before_anything_is_sent(croupier: Terminal):
    put("shop/descriptors/x.json", b"{}")
    code, _, err = await croupier("install", "shop", "--yes")
    assert (code, "descriptors/x.json:$.id" in err) == (1, True)


async def test_programs_read_json(croupier: Terminal):
    run(["pack", "sign", "shop", "--key", "key"])
    _, out, _ = await croupier("install", "shop", "--dry-run", "--json")
    assert json.loads(out)["accepted"] is True
    code, out, err = await croupier("install", "shop", "--json")
    assert (code, out, "say --yes" in err) == (2, "", True)
    code, out, _ = await croupier("show", "nobody", "--json")
    assert (code, json.loads(out)["reason"]) == (4, "not_found")


async def test_nothing_is_left_of_an_export_that_failed(croupier: Terminal, here: Path):
    assert (await croupier("export", "-o", "out.tgz"))[0] == 4
    assert not [
        name for name in await asyncio.to_thread(lambda: [each.name for each in here.iterdir()]) if "out" in name
    ]
