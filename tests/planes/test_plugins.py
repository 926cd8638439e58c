"""What packs bring for the page: which plugins there are, and that their frames and files are all that is served of a pack."""

import json
import re
from urllib.parse import unquote

import pytest
from tests.planes.http_testbed import Testbed
from tests.planes.packs_testbed import pack_files

from croupier.domain.principal import Principal
from croupier.packs.tar import write_archive
from croupier.server.access.limits import Throttle

ROOT = Principal(name="token", kind="token", root=True)
SCRIPT = b"export const drawn = 'by the plugin'; // \xe2\x9c\x93"
FILES = {
    "web-plugin/map.js": SCRIPT,
    "web-plugin/lib/colours.mjs": b"export default []",
    "web-plugin/look.css": b"body { margin: 0 }",
    "web-plugin/page.html": b"<script>alert(1)</script>",
    "web-plugin/huge.js": b"x" * (4 * 1024 * 1024 + 1),
    "web-plugin/no-ending": b"x",
    "secret.js": b"not a plugin's",
    "alone.js": b"alone",
}


def archive(**manifest):
    said = {"version": "2.1.0", "web_plugins": ["web-plugin/map.js"], **manifest}
    files = pack_files("shop", ["shop.map"], **said)
    described = json.loads(files["descriptors/shop.map.json"])
    views = [
        {"id": "a", "renderer": "shop.heat"},
        {"id": "b", "renderer": "table.basic"},
        {"id": "c", "type": "shop.map"},
    ]
    files["descriptors/shop.map.json"] = json.dumps({**described, "outputs": {"views": views}}).encode()
    return write_archive({**files, **FILES})


@pytest.fixture
async def bed():
    found = Testbed()
    await found.packs.take(ROOT, archive())
    return found


async def plugins(bed):
    return (await bed.request("GET", "/api/plugins")).json["plugins"]


async def place(bed):
    (plugin,) = await plugins(bed)
    return f"/plugins/shop/{plugin['digest']}"


async def get(bed, path, **sent):
    return await bed.request("GET", path, token=None, **sent)


# ---------------------------------------------------------------------------------------------------- which there are


async def test_the_plugins_of_enabled_packs_are_told_with_what_they_draw(bed):
    (plugin,) = await plugins(bed)
    digest = plugin["digest"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert plugin == {
        "pack": "shop",
        "version": "2.1.0",
        "digest": digest,
        "path": "web-plugin/map.js",
        "renderers": ["shop.heat", "shop.map"],
        "frame": f"/plugins/shop/{digest}/frame/web-plugin/map.js",
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["./web-plugin/map.js"], [("web-plugin/map.js", ["shop.heat", "shop.map"])]),
        (
            "web-plugin/map.js, alone.js",
            [("web-plugin/map.js", ["shop.heat", "shop.map"]), ("alone.js", ["shop.heat", "shop.map"])],
        ),
        ([{"path": "alone.js", "renderers": ["x.y", "z"]}], [("alone.js", ["x.y", "z"])]),
        ([{"path": "alone.js", "renderers": "x.y"}, "web-plugin/gone.js"], [("alone.js", ["x.y"])]),
        ([], []),
    ],
)
async def test_a_manifest_may_say_what_each_plugin_draws(said, told):
    bed = Testbed()
    await bed.packs.take(ROOT, archive(web_plugins=said))
    assert [(each["path"], each["renderers"]) for each in await plugins(bed)] == told


async def test_a_manifest_is_told_as_it_was_written(bed):
    reply = await bed.request("GET", "/api/packs/shop")
    assert reply.json["manifest"]["web_plugins"] == ["web-plugin/map.js"]
    assert (await bed.request("GET", "/api/packs/list")).json["manifest"]["web_plugins"] == ["shop/web-plugin/map.js"]


async def test_nobody_is_told_of_plugins_who_is_not_signed_in(bed):
    assert (await get(bed, "/api/plugins")).status == 401


async def test_a_disabled_pack_has_no_plugins_and_its_files_are_gone(bed):
    at = await place(bed)
    await bed.packs.disable(ROOT, "shop")
    assert await plugins(bed) == []
    for path in ("frame/web-plugin/map.js", "files/web-plugin/map.js"):
        assert (await get(bed, f"{at}/{path}")).status == 404
    await bed.packs.enable(ROOT, "shop")
    assert (await get(bed, f"{at}/files/web-plugin/map.js")).status == 200
    await bed.packs.uninstall(ROOT, "shop")
    assert (await get(bed, f"{at}/files/web-plugin/map.js")).status == 404


async def test_an_upgrade_takes_the_files_of_the_version_before_away(bed):
    before = await place(bed)
    await bed.packs.take(ROOT, archive(version="3.0.0"))
    after = await place(bed)
    assert before != after
    assert (await get(bed, f"{before}/files/web-plugin/map.js")).status == 404
    assert (await get(bed, f"{after}/files/web-plugin/map.js")).status == 200


# ---------------------------------------------------------------------------------------------------- what is served


async def test_a_file_of_a_plugin_is_served_to_a_frame_without_origin(bed):
    reply = await get(bed, f"{await place(bed)}/files/web-plugin/map.js", headers={"Origin": "null"})
    assert (reply.status, reply.body) == (200, SCRIPT)
    assert {name: value for name, value in reply.headers.items() if name != "x-trace-id"} == {
        "content-type": "text/javascript; charset=utf-8",
        "content-length": str(len(SCRIPT)),
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


async def test_the_frame_runs_the_plugin_and_may_load_nothing_but_its_files(bed):
    at = await place(bed)
    reply = await get(bed, f"{at}/frame/web-plugin/map.js")
    assert reply.status == 200
    assert reply.body.count(b"<script") == 1
    assert f'<script type="module" src="{at}/files/web-plugin/map.js"></script>' in reply.body.decode()
    files = f"http://localhost:8080{at}/files/"
    assert reply.headers["content-security-policy"] == (
        f"sandbox allow-scripts; default-src 'none'; script-src {files}; style-src {files} 'unsafe-inline'; "
        f"img-src {files} data: blob:; font-src {files} data:; connect-src 'none'; worker-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors http://localhost:8080"
    )
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in reply.headers["permissions-policy"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("files/web-plugin/map.js", 200),
        ("files/web-plugin/lib/colours.mjs", 200),
        ("files/web-plugin/look.css", 200),
        ("files/web-plugin/page.html", 404),
        ("files/web-plugin/huge.js", 404),
        ("files/web-plugin/no-ending", 404),
        ("files/web-plugin/missing.js", 404),
        ("files/web-plugin/", 404),
        ("files/web-plugin", 404),
        ("files/secret.js", 404),
        ("files/alone.js", 404),
        ("files/manifest.json", 404),
        ("files/descriptors/shop.map.json", 404),
        ("files/web-plugin/../manifest.json", 404),
        ("files/web-plugin/../secret.js", 404),
        ("files/../../../../etc/passwd", 404),
        ("files//web-plugin/map.js", 404),
        ("files/web-plugin\\map.js", 404),
        ("files/web-plugin/map.js\x00", 404),
        ("frame/web-plugin/look.css", 404),
        ("frame/web-plugin/lib/colours.mjs", 404),
        ("frame/secret.js", 404),
        ("frame/", 404),
        ("other/web-plugin/map.js", 404),
        ("files/" + "x" * 4000, 404),
    ],
)
async def test_what_belongs_to_a_plugin_is_served_and_nothing_else_of_its_pack(bed, path, status):
    reply = await get(bed, f"{await place(bed)}/{path}")
    assert reply.status == status
    if status == 404:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["cache-control"] == "no-store"


async def test_a_plugin_at_the_root_of_its_pack_opens_nothing_else_there():
    bed = Testbed()
    await bed.packs.take(ROOT, archive(web_plugins=["alone.js"]))
    at = await place(bed)
    assert (await get(bed, f"{at}/files/alone.js")).body == b"alone"
    assert (await get(bed, f"{at}/files/secret.js")).status == 404
    assert (await get(bed, f"{at}/files/web-plugin/map.js")).status == 404


async def test_without_the_digest_of_its_content_nothing_of_a_pack_is_served(bed):
    at = await place(bed)
    digest = at.rpartition("/")[2]
    for wrong in ("2.1.0", "latest", "0" * 64, digest[:63] + "é", digest.upper(), digest[:12], ""):
        if wrong != digest:
            for kind in ("files", "frame"):
                assert (await get(bed, f"/plugins/shop/{wrong}/{kind}/web-plugin/map.js")).status == 404
    assert (await get(bed, f"/plugins/other/{digest}/files/web-plugin/map.js")).status == 404
    assert (await get(bed, "/plugins/")).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_plugins_are_only_read(bed, method):
    at = await place(bed)
    assert (await bed.request(method, f"{at}/files/web-plugin/map.js", token=None)).status == 401


async def test_who_tries_digests_is_slowed_down():
    bed = Testbed(throttle=Throttle(address=1.0, clock=lambda: 0.0))
    statuses = [(await get(bed, f"/plugins/shop/{number:064}/files/x.js")).status for number in range(20)]
    assert statuses == [404] * 8 + [429] * 12


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("x; script-src *;.localhost", 400),
        ("a b.localhost", 400),
        ("*.localhost", 400),
        ("evil.example", 403),
    ],
)
async def test_a_host_header_adds_nothing_to_what_a_frame_may(bed, host, status):
    reply = await get(bed, f"{await place(bed)}/frame/web-plugin/map.js", host=host)
    assert reply.status == status
    if status == 200:
        assert f"frame-ancestors http://{host}" in reply.headers["content-security-policy"]


async def test_the_name_of_a_script_is_told_apart_from_the_document_around_it():
    bed = Testbed()
    odd = 'web-plugin/"><script>alert(1)<!--.js'
    files = pack_files("shop", web_plugins=[odd])
    await bed.packs.take(ROOT, write_archive({**files, odd: b"odd"}))
    (plugin,) = await plugins(bed)
    frame = await get(bed, unquote(plugin["frame"]))
    assert frame.status == 200
    assert frame.body.count(b"<script") == 1
    assert b"alert(1)" not in frame.body
