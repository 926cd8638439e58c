"""Joining over HTTPS: a machine that has nothing but a join token, and servers that are and are not the token's."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.planes.machines_testbed import certified
from tests.planes.scripted_agent import Server, running

from croupier.asgi.server import HttpServer
from croupier.asgi.tls import TlsFiles
from croupier.cli.enrolling import Claim, obtain
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, PermissionDenied, Unavailable
from croupier.health import Health
from croupier.pki.authority import make_authority
from croupier.pki.identity import MachineFiles
from croupier.pki.join import make_token
from croupier.server.access.authority_files import init_authority

CLAIM = Claim(role="agent", id="agent-1", game_id="demo", env="dev")


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[tuple[Server, str]]:
    """A server whose HTTP is HTTPS, and its address."""
    init_authority(folder, None, "studio")
    async with running(folder, http_tls=True) as server:
        yield server, f"https://{server.info.http}"


async def invited(server: Server, url: str, folder: Path) -> str:
    body = {"role": "agent", "game_id": "demo", "env": "dev"}
    trusting = ssl.create_default_context(cafile=folder / "identity" / "ca.pem")
    headers = {"Authorization": f"Bearer {server.info.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/api/machines/join_tokens", json=body, ssl=trusting) as reply,
    ):
        token: str = (await reply.json())["token"]
        return token


async def test_a_machine_joins_by_https_with_nothing_but_a_token(tmp_path: Path) -> None:
    async with secured(tmp_path / "server") as (server, url):
        token = await invited(server, url, tmp_path / "server")
        joined = await obtain(url, f" {token}\n", CLAIM, tmp_path / "agent", None)
    assert str(joined.peer.identity) == "croupier://studio/agent/demo/dev/agent-1"
    assert MachineFiles.of_folder(tmp_path / "agent").current() == joined


async def test_a_server_that_is_not_the_tokens_is_told_nothing(tmp_path: Path) -> None:
    async with secured(tmp_path / "server") as (_, url):
        token, _ = make_token(make_authority("studio").fingerprint)
        with pytest.raises(PermissionDenied, match="another authority") as refused:
            await obtain(url, token, CLAIM, tmp_path / "agent", None)
    assert token not in refused.value.message
    assert not (tmp_path / "agent").exists()


async def test_a_server_that_shows_the_authority_but_has_no_certificate_of_it_is_told_nothing(tmp_path: Path) -> None:
    """Whoever stands between could pass the authority's certificate on, which is no secret."""
    authority = make_authority("studio")
    stranger = make_authority("studio")
    files = certified(stranger, tmp_path / "s", "server")
    asked: list[str] = []

    async def middle(scope, receive, send) -> None:
        asked.append(scope["path"])
        body = b'{"ca": %s}' % _quoted(authority.certificate_pem)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    http = HttpServer(middle, tls=TlsFiles(files.cert_path, files.key_path))
    await http.start("127.0.0.1:0")
    token, _ = make_token(authority.fingerprint)
    with pytest.raises(Unavailable):
        await obtain(f"https://{http.address}", token, CLAIM, tmp_path / "agent", None)
    await http.stop()
    assert asked == ["/api/machines/ca"]


def _quoted(pem: bytes) -> bytes:
    return b'"' + pem.replace(b"\n", b"\\n") + b'"'


@pytest.mark.parametrize(
    ("url", "token", "kind"),
    [
        ("http://192.0.2.1:8080", make_token("a" * 64)[0], FailedPrecondition),
        ("https://127.0.0.1:9", make_token("a" * 64)[0], Unavailable),
        ("https://127.0.0.1:9", "crj_x.y", InvalidArgument),
    ],
    ids=["plain text", "nobody there", "no token"],
)
async def test_what_cannot_be_joined_is_said(url: str, token: str, kind: type[CroupierError], tmp_path: Path) -> None:
    with pytest.raises(kind):
        await obtain(url, token, CLAIM, tmp_path / "agent", None)


async def test_https_takes_a_renewed_certificate_without_a_restart(tmp_path: Path) -> None:
    authority = make_authority("studio")
    files = certified(authority, tmp_path / "s", "server")
    http = HttpServer(Health(problems=list, metrics=lambda: b""), tls=TlsFiles(files.cert_path, files.key_path))
    await http.start("127.0.0.1:0")

    host, _, port = http.address.rpartition(":")

    async def shown() -> str:
        trusting = ssl.create_default_context(cafile=files.ca_path)
        _, writer = await asyncio.open_connection(host, int(port), ssl=trusting)
        serial = str(writer.get_extra_info("peercert")["serialNumber"])
        writer.close()
        await writer.wait_closed()
        return serial

    before = await shown()
    certified(authority, tmp_path / "s", "server")
    after = await shown()
    files.cert_path.write_text("half a certificate")
    assert before != after
    assert await shown() == after
    await http.stop()


async def test_http_asks_for_certificates_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("none")
    (tmp_path / "key.pem").write_text("none")
    with pytest.raises(FailedPrecondition, match="belong together"):
        TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        TlsFiles(tmp_path / "nothing.pem", tmp_path / "key.pem")
