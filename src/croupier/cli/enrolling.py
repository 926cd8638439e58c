"""How a machine without a certificate gets one: by a join token, from a server that the token tells it to trust."""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from croupier.domain.machine import ANY, WIDE, check_hosts, make_identity
from croupier.errors import FailedPrecondition, PermissionDenied, Unavailable
from croupier.pki.authority import deployment_of, fingerprint_of, read_certificate
from croupier.pki.identity import Identity, MachineFiles
from croupier.pki.join import read_token
from croupier.pki.request import make_request
from croupier.settings import MachineSettings
from croupier.settings.fields import travels_openly
from croupier.settings.identity import identity_folder

log = logging.getLogger(__name__)

SECONDS = 20.0
ANSWER_BYTES = 262_144


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Who the machine says it is; the token must grant it."""

    role: str
    id: str
    game_id: str = ""
    env: str = ""
    hosts: tuple[str, ...] = ()


def enrol(url: str, token: str, claim: Claim, folder: Path, ca_file: Path | None = None) -> Identity:
    """Join: the key is made in `folder` and stays there. `ca_file` is for a server whose HTTPS has a certificate of another
    authority than its machines'.

    Raises InvalidArgument for what is no token, PermissionDenied for a server that is not the token's or a token that is over,
    Unavailable where no server answers.
    """
    return asyncio.run(obtain(url.rstrip("/"), token, claim, folder, ca_file))


async def obtain(url: str, token: str, claim: Claim, folder: Path, ca_file: Path | None) -> Identity:
    """As `enrol`, on a running loop."""
    bearer = read_token(token)
    if travels_openly(url):
        raise FailedPrecondition(f"{url} is plain text and not on this machine: join by https://")
    hosts = check_hosts(claim.hosts)
    files = MachineFiles.of_folder(folder)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        # Whoever answers is believed only if it has the authority whose fingerprint the token names.
        ca_pem = str((await _asked(session, "GET", f"{url}/api/machines/ca", ssl=False)).get("ca", "")).encode()
        if fingerprint_of(ca_pem) != bearer.fingerprint:
            raise PermissionDenied(
                f"the server at {url} has another authority than the join token names: it is not the server that made the token"
            )
        wide = ANY if claim.role in WIDE else ""
        identity = make_identity(
            deployment=deployment_of(read_certificate(ca_pem)),
            role=claim.role,
            game_id=claim.game_id or wide,
            env=claim.env or wide,
            id=claim.id,
        )
        request = make_request(await asyncio.to_thread(files.begin), identity, hosts)
        trusted = _trusting(ca_pem, ca_file)
        body = {"token": token.strip(), "request": request.decode()}
        issued = await _asked(session, "POST", f"{url}/api/machines/enrol", json=body, ssl=trusted)
    return await asyncio.to_thread(files.replace, str(issued.get("certificate", "")).encode(), ca_pem)


def _trusting(ca_pem: bytes, ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file, cadata=None if ca_file else ca_pem.decode())
    except (OSError, ssl.SSLError) as error:
        raise FailedPrecondition(f"{ca_file or 'the authority'} is no file of certificates to trust") from error


async def _asked(session: aiohttp.ClientSession, method: str, url: str, **sent: Any) -> Mapping[str, Any]:
    try:
        async with session.request(method, url, allow_redirects=False, **sent) as response:
            raw = await response.content.read(ANSWER_BYTES)
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"no server of the token answers at {url}: {str(error) or 'it was silent'}") from error
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise Unavailable(f"{url} does not answer as a Croupier server") from error
    if not isinstance(document, dict) or status >= 300:
        detail = document.get("detail") if isinstance(document, dict) else ""
        raise PermissionDenied(f"{url} refused: {detail or status}")
    return document


def join_once(settings: MachineSettings, url: str, token: str, claim: Claim, ca_file: Path | None) -> None:
    """For a process that starts: join, unless that was done before. Raises as `enrol` does."""
    folder = identity_folder(settings)
    if MachineFiles.of_folder(folder).present:
        log.info("the join token is not needed: there is a certificate in %s", folder)
        return
    joined = enrol(url, token, claim, folder, ca_file)
    log.info("joined as %s, certificate %s", joined.peer.identity, joined.peer.serial)
