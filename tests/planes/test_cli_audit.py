"""`croupier audit` against the real server, and without one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.cli_testbed import Terminal
from tests.planes.scripted_agent import Server, attached, running

from croupier.cli.main import run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def server(here: Path) -> AsyncIterator[Server]:
    async with running(here / "data") as server:
        async with attached(server):
            for number in range(3):
                await server.invoke(payload={"player_id": str(number), "password": "hunter2"})
        await server.request("PUT", "/api/assignments", data=b"{}")
        yield server


@pytest.fixture
def croupier(server: Server, capsys: Any, monkeypatch: Any) -> Terminal:
    return Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch, words=("audit",))


def put(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)


def content(name: str) -> bytes:
    return Path(name).read_bytes()


async def test_the_record_is_listed_and_searched(croupier: Terminal):
    code, out, _ = await croupier("list", "--action", "function.*")
    assert (code, len(out.splitlines())) == (0, 7)
    code, out, _ = await croupier("list", "--value", "hunter2", "--json")
    assert len(json.loads(out)["rows"]) == 3
    code, out, err = await croupier("list", "--limit", "2")
    assert "--before" in err


async def test_an_export_is_verified_offline_and_a_bent_one_is_told(croupier: Terminal, capsys: Any):
    code, _, _ = await croupier("checkpoints", "--make")
    assert code == 0
    code, out, _ = await croupier("checkpoints", "--json")
    put("kept.jsonl", out.encode())
    code, out, _ = await croupier("checkpoints")
    public_key = out.split()[-1]
    code, _, _ = await croupier("export", "--output", "audit.jsonl")
    assert code == 0

    assert run(["audit", "verify", "audit.jsonl"]) == 0
    assert "who wrote it was not looked at" in capsys.readouterr().out
    assert run(["audit", "verify", "audit.jsonl", "--public-key", public_key, "--checkpoints", "kept.jsonl"]) == 0
    assert run(["audit", "verify", "audit.jsonl", "--key-file", "data/key", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["holds"], found["keyed"], found["signed"]) == (True, True, True)

    put("audit.jsonl", content("audit.jsonl").replace(b'"phase":"outcome"', b'"phase":"outcomE"', 1))
    assert run(["audit", "verify", "audit.jsonl", "--key-file", "data/key"]) == 1
    assert " was changed" in capsys.readouterr().out.splitlines()[0]


async def test_the_server_verifies_what_it_keeps(croupier: Terminal):
    code, out, _ = await croupier("verify")
    assert (code, out.split(":")[0]) == (0, "holds")


async def test_a_cut_is_asked_about(croupier: Terminal):
    code, out, _ = await croupier("cut", "--before", "2100-01-01", "--yes")
    assert code == 0, out
    code, out, _ = await croupier("list", "--action", "function.*", "--json")
    assert json.loads(out)["rows"] == []


@pytest.mark.parametrize(
    "arguments", [["--public-key", "zz"], ["--checkpoints", "FILE"], ["--checkpoints", "FILE", "--public-key", "00"]]
)
def test_what_cannot_be_used_to_verify_is_refused(arguments: list[str]):
    Path("FILE").write_text("rubbish\n")
    assert run(["audit", "verify", "FILE", *arguments]) in {1, 2}


def test_rubbish_is_no_record(capsys: Any):
    Path("FILE").write_bytes(b"\x00" * 3_000_000)
    assert run(["audit", "verify", "FILE"]) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out
