"""Packs through the real server, over HTTP."""

import gzip
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.planes.packs_testbed import pack_archive, pack_files
from tests.planes.scripted_agent import Reply, Server, running, within

from croupier.packs.bounds import ARCHIVE_BYTES
from croupier.packs.folder import write_folder
from croupier.packs.tar import read_archive, write_archive
from croupier.settings import PacksSettings

UNSIGNED = PacksSettings(allow_unsigned=True)
TGZ = {"Content-Type": "application/gzip"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path, packs=UNSIGNED) as server:
        yield server


async def send(server: Server, archive: bytes, headers: dict[str, str] | None = None, **query: Any) -> Reply:
    path = "/api/packs/import"
    return await server.request("POST", path, data=io.BytesIO(archive), headers=headers or TGZ, params=query)


async def installed(server: Server, *archives: bytes) -> list[Any]:
    replies = [await send(server, archive) for archive in archives]
    assert [reply.status for reply in replies] == [200] * len(archives), replies
    return [reply.json for reply in replies]


async def listed(server: Server) -> Any:
    return (await server.request("GET", "/api/packs/list")).json


async def functions_in_force(server: Server) -> list[str]:
    """As somebody sees who calls: a payload that does not fit is refused only where the function is described."""
    reply = await server.invoke("prom.query", {"expr": 5})
    return ["prom.query"] if reply.status == 400 and "prom.query" in reply.json["detail"] else []


async def test_an_imported_pack_is_listed_and_its_functions_are_checked_at_once(server: Server):
    assert await functions_in_force(server) == []
    (change,) = await installed(server, pack_archive("prom", category="metrics", description="Queries"))
    assert (change["accepted"], change["packs"][0]["action"], change["packs"][0]["verdict"]) == (True, "install", "new")
    found = await listed(server)
    (pack,) = found["packs"]
    assert (pack["name"], pack["version"], pack["category"], pack["state"]) == ("prom", "1.0.0", "metrics", "enabled")
    assert (pack["functions"], pack["installed_by"], pack["signed_by"]) == (["prom.query"], "developer", "")
    assert found["manifest"]["functions"] == [
        {"id": "prom.query", "version": "", "category": "", "labels": {}, "pack": "prom"}
    ]
    assert (found["counts"]["descriptors"], found["counts"]["packs"], found["export_auth_required"]) == (1, 1, True)
    assert found["etag"] == change["etag"]
    assert await functions_in_force(server) == ["prom.query"]


async def test_packs_outlive_a_restart(tmp_path: Path):
    async with running(tmp_path, packs=UNSIGNED) as server:
        await installed(server, pack_archive("prom"), pack_archive("http", ["http.call"]))
        await server.request("POST", "/api/packs/http/disable")
        before = await listed(server)
    async with running(tmp_path, packs=UNSIGNED) as server:
        assert await listed(server) == before
        assert await functions_in_force(server) == ["prom.query"]


async def test_a_form_with_a_file_is_taken_as_well(server: Server):
    files = pack_files("prom")
    files["manifest.json"] = b'{"functions":[{"id":"prom.query","version":"1.0.0","category":"prom"}]}'
    form = aiohttp.FormData()
    form.add_field("file", write_archive(files), filename="my-prom-1.2.0.tgz", content_type="application/gzip")
    reply = await server.request("POST", "/api/packs/import", data=form)
    assert reply.status == 200, reply.body
    assert [pack["name"] for pack in (await listed(server))["packs"]] == ["my-prom"]


@pytest.mark.parametrize("form", [{"other": "x"}, {"file": "no file"}])
async def test_a_form_without_the_file_says_what_is_missing(server: Server, form: dict[str, str]):
    made = aiohttp.FormData(form, default_to_multipart=True)
    reply = await server.request("POST", "/api/packs/import", data=made)
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert "file" in reply.json["detail"]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(server: Server):
    await installed(server, pack_archive("prom", ["prom.query", "prom.old"]))
    before = await listed(server)
    new = pack_archive("prom", ["prom.query", "prom.new"], version="2.0.0")
    reply = await send(server, new, dry_run="true")
    found = reply.json
    assert (reply.status, found["dry_run"], found["accepted"], found["etag"]) == (200, True, True, before["etag"])
    (step,) = found["packs"]
    assert (step["action"], step["old_version"], step["new_version"], step["verdict"]) == (
        "upgrade", "1.0.0", "2.0.0", "breaking",
    )  # fmt: skip
    assert [(each["id"], each["what"]) for each in step["descriptions"]] == [
        ("prom.new", "added"),
        ("prom.old", "removed"),
    ]
    assert {each["name"]: each["what"] for each in step["files"]} == {
        "manifest.json": "changed",
        "descriptors/prom.new.json": "added",
        "descriptors/prom.old.json": "removed",
    }
    assert await listed(server) == before


async def test_a_dry_run_tells_faults_and_obstacles_without_failing(server: Server):
    await installed(server, pack_archive("prom"))
    faulty = {**pack_files("a", ["a.b"]), "descriptors/x.json": b"{}", "descriptors/y.json": b"no"}
    found = (await send(server, write_archive(faulty), dry_run="true")).json
    assert found["accepted"] is False
    assert [each["file"] for each in found["faults"]] == ["descriptors/x.json", "descriptors/y.json"]
    other = pack_archive("prom2", ["prom.query"], dependencies=["nobody@^1"])
    found = (await send(server, other, dry_run="true")).json
    assert (found["accepted"], {each["kind"] for each in found["obstacles"]}) == (False, {"missing", "conflict"})


async def test_every_fault_of_a_pack_is_told_with_file_and_path(server: Server):
    faulty = {
        **pack_files("a", ["a.b"]),
        "descriptors/x.json": b"{}",
        "descriptors/y.json": b'{"id":"y","params":{"type":1}}',
    }
    reply = await send(server, write_archive(faulty))
    assert reply.status == 400
    assert [(each["file"], each["path"]) for each in reply.json["errors"]] == [
        ("descriptors/x.json", "$.id"),
        ("descriptors/y.json", "$.params.type"),
    ]
    assert (await listed(server))["packs"] == []


@pytest.mark.parametrize(
    "archive",
    [b"", b"no archive", gzip.compress(b"no tar", mtime=0), write_archive({"a.txt": b""}), pack_archive()[:-9]],
)
async def test_what_is_no_pack_is_refused(server: Server, archive: bytes):
    reply = await send(server, archive)
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


async def test_an_archive_that_is_too_large_is_refused(server: Server):
    reply = await send(server, bytes(ARCHIVE_BYTES + 1))
    assert (reply.status, reply.json["reason"]) == (413, "payload_too_large")


async def test_if_match_holds_an_import_to_what_was_looked_at(server: Server):
    etag = (await server.request("GET", "/api/packs/list")).headers["ETag"]
    await installed(server, pack_archive("other", ["other.f"]))
    reply = await send(server, pack_archive("prom"), {**TGZ, "If-Match": etag})
    assert (reply.status, reply.json["reason"]) == (412, "failed_precondition")
    etag = (await server.request("GET", "/api/packs/list")).headers["ETag"]
    assert (await send(server, pack_archive("prom"), {**TGZ, "If-Match": etag})).status == 200


async def test_what_was_listed_already_is_not_listed_again(server: Server):
    await installed(server, pack_archive("prom"))
    etag = (await server.request("GET", "/api/packs/list")).headers["ETag"]
    again = await server.request("GET", "/api/packs/list", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


async def test_an_export_is_the_same_bytes_each_time_and_can_be_imported_elsewhere(server: Server, tmp_path: Path):
    await installed(server, pack_archive("prom"), pack_archive("http", ["http.call"]))
    first, again = [await server.request("GET", "/api/packs/export") for _ in range(2)]
    assert first.body == again.body
    assert first.headers["ETag"] == again.headers["ETag"]
    unchanged = await server.request("GET", "/api/packs/export", headers={"If-None-Match": first.headers["ETag"]})
    assert unchanged.status == 304
    one = await server.request("GET", "/api/packs/export", params={"id": "prom"})
    assert read_archive(one.body) == pack_files("prom")
    assert one.headers["Content-Disposition"] == 'attachment; filename="prom-1.0.0.tgz"'
    async with running(tmp_path / "elsewhere", packs=UNSIGNED) as other:
        await installed(other, first.body)
        assert [pack["name"] for pack in (await listed(other))["packs"]] == ["http", "prom"]


async def test_a_bundle_is_taken_whole_or_not_at_all(server: Server):
    good = {f"good/{name}": content for name, content in pack_files("good", ["good.f"]).items()}
    bad = {f"bad/{name}": content for name, content in pack_files("bad", ["bad.f"], dependencies=["nobody"]).items()}
    reply = await send(server, write_archive(good | bad))
    assert (reply.status, reply.json["reason"]) == (409, "failed_precondition")
    assert "bad needs the pack nobody" in reply.json["detail"]
    assert (await listed(server))["packs"] == []


async def test_a_pack_can_be_disabled_enabled_rolled_back_and_uninstalled(server: Server):
    await installed(server, pack_archive("prom"), pack_archive("prom", ["prom.query", "prom.new"], version="2.0.0"))
    for verb, state in (("disable", "disabled"), ("disable", "disabled"), ("enable", "enabled")):
        assert (await server.request("POST", f"/api/packs/prom/{verb}")).status == 200
        assert (await server.request("GET", "/api/packs/prom")).json["state"] == state
        assert await functions_in_force(server) == (["prom.query"] if state == "enabled" else [])
    change = (await server.request("POST", "/api/packs/prom/rollback")).json
    assert (change["packs"][0]["action"], change["packs"][0]["new_version"]) == ("rollback", "1.0.0")
    detail = (await server.request("GET", "/api/packs/prom")).json
    assert [each["version"] for each in detail["versions"]] == ["1.0.0", "2.0.0", "1.0.0"]
    assert [each["current"] for each in detail["versions"]] == [True, False, False]
    assert {each["name"] for each in detail["files"]} == {"manifest.json", "descriptors/prom.query.json"}
    assert (await server.request("DELETE", "/api/packs/prom")).status == 200
    assert (await listed(server))["packs"] == []
    assert await functions_in_force(server) == []
    assert (await server.request("DELETE", "/api/packs/prom")).status == 404
    assert (await server.request("POST", "/api/packs/prom/rollback")).status == 200
    assert [pack["version"] for pack in (await listed(server))["packs"]] == ["1.0.0"]


async def test_a_pack_that_others_need_stays(server: Server):
    await installed(server, pack_archive("base", ["base.f"]), pack_archive("top", ["top.f"], dependencies=["base@^1"]))
    for method, path in (("DELETE", "/api/packs/base"), ("POST", "/api/packs/base/disable")):
        reply = await server.request(method, path)
        assert (reply.status, reply.json["reason"]) == (409, "failed_precondition")
        assert "top need it" in reply.json["detail"]
    assert (await server.request("GET", "/api/packs/base")).json["dependants"] == ["top"]
    reply = await send(server, pack_archive("base", ["base.f"], version="2.0.0"))
    assert (reply.status, "top needs base ^1" in reply.json["detail"]) == (409, True)


@pytest.mark.parametrize("path", ["", "/enable", "/disable", "/rollback"])
async def test_an_unknown_pack_is_not_found(server: Server, path: str):
    reply = await server.request("POST" if path else "GET", f"/api/packs/nobody{path}")
    assert (reply.status, reply.json["reason"]) == (404, "not_found")


async def test_packs_are_listed_by_category(server: Server):
    await installed(server, pack_archive("a", ["a.f"], category="x"), pack_archive("b", ["b.f"], category="y"))
    found = (await server.request("GET", "/api/packs/list", params={"category": "y"})).json
    assert [pack["name"] for pack in found["packs"]] == ["b"]


def damage(data: Path, digest: str) -> None:
    (archive,) = data.rglob(f"{digest}.tgz")
    archive.write_bytes(b"damaged")


async def test_a_reload_reads_packs_from_the_disk_again(server: Server, tmp_path: Path):
    (change,) = await installed(server, pack_archive("prom"))
    digest = change["packs"][0]["new_digest"]
    damage(tmp_path, digest)
    found = (await server.request("POST", "/api/packs/reload")).json
    assert [each["file"] for each in found["faults"]] == ["prom"]
    assert await functions_in_force(server) == []
    assert (await listed(server))["packs"][0]["problem"]
    await installed(server, pack_archive("prom"))
    assert await functions_in_force(server) == ["prom.query"]
    assert (await server.request("POST", "/api/packs/reload")).json["faults"] == []


async def test_packs_in_folders_are_listed_with_the_installed_ones(tmp_path: Path):
    write_folder(tmp_path / "folder" / "prom", pack_files("prom"))
    settings = PacksSettings(directories=(tmp_path / "folder",), allow_unsigned=True)
    async with running(tmp_path / "data", packs=settings) as server:
        await installed(server, pack_archive("http", ["http.call"], dependencies=["prom"]))
        found = await listed(server)
        assert [(pack["name"], pack["origin"]) for pack in found["packs"]] == [
            ("http", "installed"),
            ("prom", "folder"),
        ]
        assert found["counts"]["functions"] == 2
        reply = await server.request("DELETE", "/api/packs/prom")
        assert (reply.status, "lies in a folder" in reply.json["detail"]) == (409, True)
        await installed(server, pack_archive("prom", ["prom.query"], version="2.0.0"))
        pack = (await server.request("GET", "/api/packs/prom")).json
        assert (pack["origin"], pack["version"], pack["dependants"]) == ("installed", "2.0.0", ["http"])


async def test_an_unsigned_pack_is_refused_where_signatures_are_asked_for(tmp_path: Path):
    async with running(tmp_path) as server:
        reply = await send(server, pack_archive("prom"))
        assert (reply.status, reply.json["reason"]) == (403, "permission_denied")
        assert "croupier pack sign" in reply.json["detail"]
        found = (await send(server, pack_archive("prom"), dry_run="true")).json
        assert (found["accepted"], [each["kind"] for each in found["obstacles"]]) == (False, ["untrusted"])
        assert (await listed(server))["packs"] == []


async def test_a_caller_who_leaves_in_the_middle_leaves_whole_packs(server: Server):
    archives = [pack_archive("prom", ["prom.query"], version=f"{number}.0.0") for number in range(1, 6)]
    for number, archive in enumerate(archives):
        try:
            await server.request(
                "POST", "/api/packs/import", data=io.BytesIO(archive), headers=TGZ,
                timeout=aiohttp.ClientTimeout(total=0.001 * (number + 1)),
            )  # fmt: skip
        except TimeoutError:
            continue
    await within(send(server, archives[-1]))
    assert json.loads((await server.request("GET", "/api/packs/prom")).body)["version"] == "5.0.0"
