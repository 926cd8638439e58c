"""The page: which address answers what, and with which headers."""

import re
import shutil

import pytest
from tests.planes.http_testbed import Testbed
from tests.planes.page_testbed import ICON, INDEX, PACKED, SCRIPT, STYLE, build_page
from tests.policy.access_table import NEEDS_TOKEN, OPEN_TO_ALL

from croupier.server.http.page import SHARED

SCRIPT_PATH = "/assets/index-B1cD2eF3.js"
STYLE_PATH = "/assets/index-Zz9_-xY1.css"
OPENED = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""As a browser asks when a person opens an address."""

STATIC_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


@pytest.fixture
def bed(tmp_path):
    return Testbed(page=build_page(tmp_path / "dist"))


async def get(bed, path, headers=(), method="GET", **sent):
    return await bed.request(method, path, headers=dict(headers), token=None, **sent)


# ---------------------------------------------------------------------------------------------------- which address


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/setup",
        "/f/player.ban",
        "/calls/c_01",
        "/jobs",
        "/jobs/j_01",
        "/games/demo/envs",
        "/entities/player/p.1",
        "/apis",
        "/index.html",
    ],
)
async def test_an_address_that_a_person_opens_answers_the_index(bed, path):
    reply = await get(bed, path, OPENED)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert b'<div id="root">' in reply.body


async def test_the_root_answers_the_index_whatever_is_accepted(bed):
    assert b'<div id="root">' in (await get(bed, "/")).body
    assert b'<div id="root">' in (await get(bed, "/", {"Accept": "application/json"})).body


async def test_what_programs_use_is_the_apis_whatever_a_browser_accepts(bed):
    for method, path in sorted(OPEN_TO_ALL | NEEDS_TOKEN):
        concrete = re.sub(r"\{[^}]+\}", "x", path)
        plain = await get(bed, concrete, method=method)
        opened = await get(bed, concrete, OPENED, method=method)
        is_shared = method == "GET" and concrete.split("/")[1] in SHARED and not concrete.endswith("/stream")
        assert (opened.headers["content-type"].startswith("text/html")) == is_shared, (method, path)
        assert is_shared or opened.status == plain.status, (method, path)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nowhere", "/metrics", "/metrics/", "/invoke", "/start-job"])
async def test_below_the_api_nothing_is_the_pages(bed, path):
    assert (await get(bed, path, OPENED)).status == 401


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "text/event-stream", "text/html;q=0", "text/html; q=0.0", "text/htmlx"]
)
async def test_a_program_that_asks_for_no_document_is_asked_for_its_token(bed, accept):
    for path in ("/nowhere", "/jobs", "/jobs/x", "/calls", "/f/player/ban", "//", "/games/a.b"):
        assert (await get(bed, path, {"Accept": accept} if accept else {})).status == 401, path


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_the_page_is_only_read(bed, method):
    for path in ("/", SCRIPT_PATH, "/login"):
        assert (await get(bed, path, OPENED, method=method)).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing-B1cD2eF3.js",
        "/assets/",
        "/assets/index-B1cD2eF3.js.br",
        "/assets/index-B1cD2eF3.js/",
        "/missing.js",
        "/robots.txt",
        "/.env",
        "/assets/../index.html",
        "/assets/../../secret.txt",
        "/assets//etc/passwd",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/\\..\\secret.txt",
        "/assets/index-B1cD2eF3.js\x00.html",
        "/secret.txt",
    ],
)
async def test_a_missing_file_is_a_problem_and_never_the_index(bed, path, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    for headers in ({}, {"Accept": "*/*"}) + (({**OPENED},) if path.startswith("/assets/") else ()):
        reply = await get(bed, path, headers)
        assert reply.status == 404
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.json["reason"] == "not_found"


async def test_what_a_link_leads_to_is_not_served(tmp_path):
    folder = build_page(tmp_path / "dist")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "more").symlink_to(tmp_path)
    (folder / ".hidden.txt").write_text("secret")
    bed = Testbed(page=folder)
    for path in ("/link.txt", "/more/secret.txt", "/.hidden.txt"):
        assert (await get(bed, path)).status == 404


# ---------------------------------------------------------------------------------------------------- with which headers


async def test_the_index_is_never_kept_and_says_what_its_page_may_do(bed):
    reply = await get(bed, "/login", OPENED)
    (nonce,) = set(re.findall(rb'nonce="([^"]+)"', reply.body))
    assert {name: value for name, value in reply.headers.items() if name not in {"x-trace-id", "content-length"}} == {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "vary": "Accept",
        "content-security-policy": STATIC_CSP.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce.decode()}'"),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    }


async def test_every_answer_has_a_nonce_of_its_own_wherever_the_build_left_a_place(bed):
    nonces = set()
    for _ in range(20):
        body = (await get(bed, "/", OPENED)).body
        found = re.findall(rb'(?:nonce|csp-nonce" content)="([^"]+)"', body)
        assert len(found) == 3
        nonces |= set(found)
        assert b"__CSP_NONCE__" not in body
    assert len(nonces) == 20
    assert all(len(nonce) == 24 for nonce in nonces)


async def test_an_index_that_has_no_place_for_the_nonce_gets_one(tmp_path):
    bed = Testbed(page=build_page(tmp_path, "<html><head><title>x</title></head></html>"))
    body = (await get(bed, "/")).body
    assert re.search(
        rb'<head><meta name="build" content="[0-9a-f]{16}"><meta name="csp-nonce" content="[\w-]{24}">', body
    )


STATIC = {
    "x-content-type-options": "nosniff",
    "content-security-policy": STATIC_CSP,
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "accepted", "content", "headers"),
    [
        (SCRIPT_PATH, "", SCRIPT, {"content-type": "text/javascript; charset=utf-8", "vary": "Accept-Encoding"}),
        (SCRIPT_PATH, "gzip, deflate", SCRIPT, {"vary": "Accept-Encoding"}),
        (SCRIPT_PATH, "gzip, br;q=0", SCRIPT, {"vary": "Accept-Encoding"}),
        (SCRIPT_PATH, "br", PACKED, {"content-encoding": "br", "vary": "Accept-Encoding"}),
        (SCRIPT_PATH, "gzip, deflate, BR;q=0.5, zstd", PACKED, {"content-encoding": "br"}),
        (STYLE_PATH, "br", STYLE, {"content-type": "text/css; charset=utf-8"}),
    ],
)
async def test_a_file_named_after_its_content_is_kept_for_ever(bed, path, accepted, content, headers):
    reply = await get(bed, path, {"Accept-Encoding": accepted} if accepted else {})
    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers.items() >= {**STATIC, **headers, "content-length": str(len(content))}.items()
    assert ("content-encoding" in reply.headers) == (content is PACKED)


async def test_a_file_whose_name_stays_is_asked_for_again(bed):
    reply = await get(bed, "/favicon.svg", OPENED)
    assert (reply.status, reply.body) == (200, ICON)
    assert reply.headers.items() >= {**STATIC, "content-type": "image/svg+xml", "cache-control": "no-cache"}.items()
    assert "vary" not in reply.headers


@pytest.mark.parametrize("accepted", ["", "br"])
async def test_a_file_that_the_browser_has_is_not_sent_again(bed, accepted):
    headers = {"Accept-Encoding": accepted}
    first = await get(bed, SCRIPT_PATH, headers)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        reply = await get(bed, SCRIPT_PATH, {**headers, "If-None-Match": known})
        assert (reply.status, reply.body) == (304, b"")
        assert reply.headers["etag"] == tag
        assert reply.headers["cache-control"] == first.headers["cache-control"]
        assert not {"content-length", "content-type", "content-encoding"} & reply.headers.keys()
    assert (await get(bed, SCRIPT_PATH, {**headers, "If-None-Match": '"other"'})).status == 200


async def test_both_forms_of_a_file_have_tags_of_their_own(bed):
    plain = await get(bed, SCRIPT_PATH)
    packed = await get(bed, SCRIPT_PATH, {"Accept-Encoding": "br"})
    assert plain.headers["etag"] != packed.headers["etag"]
    reply = await get(bed, SCRIPT_PATH, {"Accept-Encoding": "br", "If-None-Match": plain.headers["etag"]})
    assert reply.status == 200


async def test_the_head_of_a_file_tells_what_the_file_has(bed):
    for path in (SCRIPT_PATH, "/favicon.svg"):
        read, head = await get(bed, path), await get(bed, path, method="HEAD")
        del read.headers["x-trace-id"], head.headers["x-trace-id"]
        assert (head.status, head.headers) == (200, read.headers)
    assert (await get(bed, "/login", OPENED, method="HEAD")).status == 200
    assert (await get(bed, "/assets/missing.js", method="HEAD")).status == 404


async def test_no_page_is_served_under_a_foreign_host_name(bed):
    for path in ("/", SCRIPT_PATH, "/login"):
        assert (await get(bed, path, OPENED, host="evil.example")).status == 403


async def test_who_is_signed_in_makes_no_difference(bed):
    reply = await bed.request("GET", "/", headers={**OPENED, "Cookie": "croupier_session=rubbish"}, token="wrong")
    assert reply.status == 200
    assert "set-cookie" not in reply.headers


# ---------------------------------------------------------------------------------------------------- which build


async def build_of(bed):
    body = (await get(bed, "/")).body
    (told,) = re.findall(rb'<meta name="build" content="([0-9a-f]{16})">', body)
    return told.decode()


async def test_the_api_tells_the_build_that_the_index_has(bed):
    reply = await bed.request("GET", "/api/version")
    assert reply.json == {"version": "0.1.0", "build": await build_of(bed)}


async def test_a_page_that_is_built_anew_is_served_from_then_on(tmp_path):
    folder = build_page(tmp_path)
    bed = Testbed(page=folder)
    before = await build_of(bed)
    (folder / "assets" / "index-B1cD2eF3.js").unlink()
    (folder / "assets" / "index-NewNewNe.js").write_bytes(b"new")
    assert (await get(bed, SCRIPT_PATH)).body == SCRIPT  # until somebody opens the new one
    (folder / "index.html").write_text(INDEX.replace("B1cD2eF3", "NewNewNe"))
    after = await build_of(bed)
    assert after != before
    assert (await get(bed, "/assets/index-NewNewNe.js")).body == b"new"
    assert (await get(bed, SCRIPT_PATH)).status == 404


async def test_a_page_is_served_as_it_was_while_it_is_built_anew_and_whole_in_the_end(tmp_path):
    folder = build_page(tmp_path)
    bed = Testbed(page=folder)
    before = await build_of(bed)
    shutil.rmtree(folder)
    assert await build_of(bed) == before
    assert (await get(bed, SCRIPT_PATH)).body == SCRIPT
    folder.mkdir()
    (folder / "index.html").write_text(INDEX.replace("B1cD2eF3", "NewNewNe"))
    assert await build_of(bed) != before
    assert (await get(bed, "/assets/index-NewNewNe.js")).status == 404  # it is not written yet
    (folder / "assets").mkdir()
    (folder / "assets" / "index-NewNewNe.js").write_bytes(b"new")
    await build_of(bed)
    assert (await get(bed, "/assets/index-NewNewNe.js")).body == b"new"


async def test_without_a_page_a_browser_is_told_in_two_languages_how_to_build_it(tmp_path):
    bed = Testbed(page=tmp_path / "nowhere")
    for path in ("/", "/login"):
        reply = await get(bed, path, OPENED)
        assert reply.status == 200
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert "make web" in reply.body.decode()
        assert "网页尚未构建" in reply.body.decode()
    assert (await get(bed, SCRIPT_PATH)).status == 404
    assert (await bed.request("GET", "/api/version")).json["build"] == ""
    assert (await bed.request("GET", "/api/registry")).status == 200
    build_page(tmp_path / "nowhere")
    assert b'<div id="root">' in (await get(bed, "/")).body


async def test_a_page_that_cannot_be_read_is_logged_once_and_none(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("croupier.server.web.site.MOST_FILES", 3)
    bed = Testbed(page=build_page(tmp_path))
    for _ in range(3):
        assert b"make web" in (await get(bed, "/")).body
    (said,) = [record for record in caplog.records if "page" in record.message]
    assert "more than 3 files" in said.message
