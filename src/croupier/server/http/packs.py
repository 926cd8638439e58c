"""Packs over HTTP: look, install, upgrade, roll back, take away, carry elsewhere."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from croupier.descriptors import Fault
from croupier.errors import InvalidArgument
from croupier.packs.bounds import ARCHIVE_BYTES
from croupier.packs.pack import Pack, write_packs
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.pack_documents import (
    PackChange,
    PackDetail,
    PackList,
    PackReload,
    change_document,
    detail_document,
    list_document,
    reload_document,
)
from croupier.server.http.tags import expected_tag, unchanged, with_tag
from croupier.server.packs import Packs

PackName = Annotated[str, Query(max_length=64)]
Names = Annotated[list[str] | None, Query(max_length=100)]

_TGZ = "application/gzip"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE["schema"]}}}
_UPLOAD = {"requestBody": {"required": True, "content": {_TGZ: _FILE, "multipart/form-data": _FORM}}}
_ARCHIVE: dict[int | str, dict[str, Any]] = {200: {"content": {_TGZ: _FILE}, "description": "The archive."}}

_ENDING = re.compile(r"\.(tgz|tar\.gz)$")
_RELEASE = re.compile(r"-v?\d[\w.+-]*$", re.ASCII)

Reread = Callable[[], Awaitable[Sequence[Fault]]]
"""Reads again what lies in folders; returns what is wrong with it."""


def pack_routes(packs: Packs, reread: Reread) -> APIRouter:
    routes = APIRouter(tags=["packs"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/packs/list", response_model=PackList)
    async def list_packs(
        asking: Asking, request: Request, category: Annotated[str, Query(max_length=512)] = ""
    ) -> Response:
        """Installed packs, of one category where it is named, and what they hold together."""
        held = await packs.list(asking.caller)
        tag = await packs.tag()
        if (same := unchanged(request, tag)) is not None:
            return same
        found = [each for each in held if not category or each.record.current.category == category]
        return with_tag(json_answer(list_document(found, tag, packs.dependants())), tag)

    @routes.post("/api/packs/import", response_model=PackChange, openapi_extra=_UPLOAD)
    async def import_packs(
        asking: Asking,
        request: Request,
        dry_run: bool = False,
        name: PackName = "",
        replaces: Names = None,
    ) -> Response:
        """Install or upgrade the packs of a `.tgz`, all of them or none. With `dry_run` nothing changes: the answer says what would.

        `name` is for a pack that does not say its own. Packs in `replaces` are uninstalled with it.
        `If-Match`, the ETag of the list, holds it to what was looked at.
        """
        archive, file = await _archive(request)
        outcome = await packs.take(
            asking.caller,
            archive,
            name=name or _stem(file),
            replaces=replaces or (),
            expected=expected_tag(request),
            dry_run=dry_run,
        )
        return json_answer(change_document(outcome))

    @routes.get("/api/packs/export", response_class=Response, responses=_ARCHIVE)
    async def export_packs(asking: Asking, request: Request, id: Names = None) -> Response:  # noqa: A002 — the contract's name
        """The named packs, or all that are installed, as a `.tgz`: the same bytes for the same packs."""
        found = await packs.exported(asking.caller, id or ())
        if (same := unchanged(request, _tag(found))) is not None:
            return same
        headers = {"Content-Disposition": f'attachment; filename="{_file_name(found)}"'}
        archive = await asyncio.to_thread(write_packs, found)
        return with_tag(Response(archive, media_type=_TGZ, headers=headers), _tag(found))

    @routes.post("/api/packs/reload", response_model=PackReload)
    async def reload_packs(asking: Asking) -> Response:
        """Read every pack from the disk again."""
        held = await packs.reload(asking.caller)
        faults = await reread()
        return json_answer(reload_document(held, await packs.tag(), faults))

    @routes.get("/api/packs/{name}", response_model=PackDetail)
    async def read_pack(asking: Asking, name: str) -> Response:
        """One pack that is or was installed: its versions, its files and what is odd about it."""
        return json_answer(detail_document(await packs.get(asking.caller, name), packs.dependants().get(name, [])))

    _add_verbs(routes, packs)
    return routes


def _add_verbs(routes: APIRouter, packs: Packs) -> None:
    @routes.post("/api/packs/{name}/enable", response_model=PackChange)
    async def enable_pack(asking: Asking, name: str) -> Response:
        """Offer what the pack describes."""
        return json_answer(change_document(await packs.enable(asking.caller, name)))

    @routes.post("/api/packs/{name}/disable", response_model=PackChange)
    async def disable_pack(asking: Asking, name: str) -> Response:
        """Keep the pack, and offer nothing of it."""
        return json_answer(change_document(await packs.disable(asking.caller, name)))

    @routes.post("/api/packs/{name}/rollback", response_model=PackChange)
    async def roll_pack_back(asking: Asking, name: str, digest: Annotated[str, Query(max_length=64)] = "") -> Response:
        """Back to the version whose digest begins so, or to the one before."""
        return json_answer(change_document(await packs.roll_back(asking.caller, name, digest)))

    @routes.delete("/api/packs/{name}", response_model=PackChange)
    async def uninstall_pack(asking: Asking, name: str) -> Response:
        """Take the pack away; a roll-back brings it back."""
        return json_answer(change_document(await packs.uninstall(asking.caller, name)))


async def _archive(request: Request) -> tuple[bytes, str]:
    """The file that was sent, as the body or in a form, and its name if it came with one."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.body(), ""
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=4096) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidArgument("send the archive as the body, or in a form as the field `file`")
            return await file.read(ARCHIVE_BYTES + 1), file.filename or ""
    except HTTPException as error:
        raise InvalidArgument(f"the form cannot be read: {error.detail}") from error


def _stem(file: str) -> str:
    """`prom` of `prom-1.2.0.tgz`, as `export` and others name archives."""
    return _RELEASE.sub("", _ENDING.sub("", PurePath(file).name))


def _file_name(packs: Sequence[Pack]) -> str:
    if len(packs) > 1:
        return "packs.tgz"
    name = "-".join(filter(None, (packs[0].name, packs[0].version)))
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name) + ".tgz"


def _tag(packs: Sequence[Pack]) -> str:
    """Of what the archive holds: the packs' digests, and who signed them."""
    each = [pack.digest if pack.signature is None else f"{pack.digest}.{pack.signature.key_id}" for pack in packs]
    return each[0] if len(each) == 1 else hashlib.sha256("\n".join(each).encode()).hexdigest()
