"""`croupier role`, `binding`, `policy` and `access` against the real server, and policies as files."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.cli_testbed import Terminal
from tests.planes.scripted_agent import Server, running

from croupier.cli.main import run
from croupier.settings.policy_file import read_policy_files

POLICY = """\
roles:
  support:
    description: answers players
    permissions: [function:player.*, calls.read]
bindings:
  - {subject: group:gm, role: support, game_id: demo, env: dev}
  - {subject: "user:Ann", role: viewer}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path / "data") as server:
        yield server


@pytest.fixture
def croupier(server: Server, capsys: Any, monkeypatch: Any) -> Terminal:
    return Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch)


async def test_a_policy_is_shown_applied_once_and_exported_as_it_was(croupier: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    code, out, told = await croupier("policy", "apply", str(file), "--dry-run")
    assert (code, "a dry run" in told) == (0, True)
    assert out.splitlines() == [
        "+ role support: calls:read, function:player.*",
        "+ group:gm is support in demo|dev",
        "+ user:ann is viewer in *|*",
    ]
    assert (await croupier("policy", "apply", str(file)))[1:] == (out, "applied\n")
    assert (await croupier("policy", "apply", str(file), "--prune", "--yes"))[1:] == ("", "nothing to change\n")
    exported = tmp_path / "exported"
    exported.mkdir()
    (exported / "all.yml").write_text((await croupier("policy", "export"))[1])
    assert (await croupier("policy", "apply", str(exported), "--prune", "--yes"))[2] == "nothing to change\n"
    file.write_text("roles: {}\nbindings: []\n")
    code, out, _ = await croupier("policy", "apply", str(file), "--prune", "--yes")
    assert (code, len(out.splitlines())) == (0, 3)


async def test_roles_and_bindings_go_their_way(croupier: Terminal) -> None:
    code, out, _ = await croupier("role", "set", "gm", "--copy", "viewer", "--permission", "function:player.*")
    assert (code, "function:player.*" in out) == (0, True)
    assert (await croupier("binding", "add", "user:ann", "gm", "--game", "demo"))[:2] == (
        0,
        "user:ann is gm in demo|*\n",
    )
    assert "user:ann  gm    demo|*" in (await croupier("binding", "list"))[1]
    assert (await croupier("role", "remove", "gm", "--yes"))[0] == 1
    assert (await croupier("binding", "remove", "user:ANN", "gm", "--game", "demo", "--yes"))[0] == 0
    assert (await croupier("binding", "remove", "user:ann", "gm", "--game", "demo", "--yes"))[0] == 4
    assert (await croupier("role", "remove", "gm", "--yes"))[0] == 0
    assert "comes with Croupier" in (await croupier("role", "list"))[1]
    assert "packs:read" in (await croupier("role", "list", "--permissions"))[1]


async def test_explain_says_which_rule_decides(croupier: Terminal) -> None:
    here = ("--game", "demo", "--env", "dev")
    code, out, _ = await croupier("access", "explain", "player.ban", *here, "--role", "viewer")
    assert (code, "role viewer has no function:player.ban" in out) == (5, True)
    code, out, _ = await croupier("access", "explain", "player.ban", *here, "--role", "operator", "--json")
    assert (code, json.loads(out)["decided_by"]) == (0, "permission")
    assert (await croupier("access", "explain", "packs:read"))[0] == 0
    assert (await croupier("user", "add", "ann"))[0] == 0
    code, out, _ = await croupier("access", "explain", "packs:read", "--user", "ann")
    assert (code, "ask an administrator" in out) == (5, True)
    assert (await croupier("access", "explain", "packs:read", "--user", "nobody"))[0] == 4


async def test_who_one_is_and_what_one_may_is_told(croupier: Terminal) -> None:
    code, out, _ = await croupier("access", "me")
    assert (code, "bearer of the token" in out, "packs:import" in out) == (0, True, True)
    await croupier("binding", "add", "user:ann", "viewer", "--game", "demo", "--env", "dev")
    assert "sees: demo|dev" in (await croupier("access", "me"))[1]
    code, out, _ = await croupier("access", "me", "--game", "demo", "--env", "dev", "--json")
    assert (code, json.loads(out)["scope"]) == (0, "demo|dev")


async def test_the_matrix_lists_roles_beside_functions(croupier: Terminal, server: Server) -> None:
    manifest = json.dumps({"provider": {"id": "mail", "version": "1"}, "functions": [{"id": "mail.send"}]}).encode()
    assert (await server.request("POST", "/api/providers/capabilities", data=manifest)).status == 200
    here = ("--game", "demo", "--env", "dev")
    code, out, _ = await croupier("access", "matrix", *here, "--role", "viewer", "--role", "operator")
    assert (code, [line.split() for line in out.splitlines()[1:]]) == (0, [["mail.send", "low", "operator"]])
    code, _, err = await croupier("access", "matrix", *here, "--limit", "1", "--role", "nobody")
    assert (code, "unknown role nobody" in err) == (4, True)


async def test_explain_tells_of_conditions_whether_they_hold(croupier: Terminal, server: Server) -> None:
    careful = {"id": "mail.send", "auth": {"allow_if": "has_role('operator') && args.count <= 10"}}
    manifest = json.dumps({"provider": {"id": "mail", "version": "1"}, "functions": [careful]}).encode()
    reply = await server.request("POST", "/api/providers/capabilities", data=manifest)
    assert reply.status == 200, reply.body
    asked = ("access", "explain", "mail.send", "--game", "demo", "--env", "dev", "--role", "operator")
    for arguments, code in (((), 1), (("--arguments", '{"count": 3}'), 0), (("--arguments", '{"count": 30}'), 5)):
        got, out, _ = await croupier(*asked, *arguments)
        assert (got, "allow_if" in out) == (code, True), out


def test_every_fault_of_a_policy_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "roles:\n  Support: {permissions: [calls:read]}\n  gm: {permissions: ['a b'], what: 1}\nbindings:\n"
        "  - {subject: ann, role: viewer}\n  - {subject: user:ann, role: viewer, env: 'a|b'}\n  - viewer\nrest: 1\n"
    )
    faults = read_policy_files(file).faults
    assert {fault.line for fault in faults} == {2, 3, 5, 6, 7, 8}
    assert run(["policy", "apply", str(file)]) == 2
    told = capsys.readouterr().err
    assert all(f"policy.yaml:{line}:" in told for line in (2, 3, 5, 6, 7, 8))


@pytest.mark.parametrize(
    "text", ["- a\n", "roles: [a]\n", "bindings: {a: b}\n", "roles: &a {x: *a}\n", "\xff\xfe", "{"]
)
def test_what_is_no_policy_is_told_and_nothing_is_asked_of_the_server(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(text.encode("latin-1"))
    assert read_policy_files(file).faults


def test_files_of_a_folder_make_one_policy_in_which_nothing_is_written_twice(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml"):
        (tmp_path / name).write_text("roles:\n  gm: {permissions: [calls:read]}\n")
    (tmp_path / "README.md").write_text("no policy")
    assert ["twice" in fault.message for fault in read_policy_files(tmp_path).faults] == [True]
    (tmp_path / "b.yml").unlink()
    assert not read_policy_files(tmp_path).faults


async def test_a_condition_that_cannot_be_used_is_among_the_faults_of_the_catalog(server: Server) -> None:
    faulty = {"id": "mail.send", "auth": {"allow_if": "nobody_knows == 1"}}
    manifest = json.dumps({"provider": {"id": "mail", "version": "1"}, "functions": [faulty]}).encode()
    assert (await server.request("POST", "/api/providers/capabilities", data=manifest)).status == 200
    faults = (await server.request("GET", "/api/catalog/faults")).json["faults"]
    assert any("unknown name 'nobody_knows'" in json.dumps(fault) for fault in faults)
