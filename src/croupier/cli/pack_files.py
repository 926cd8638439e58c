"""The commands on packs that ask no server."""

import getpass
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from croupier.cli.exits import Problem, fail
from croupier.cli.terminal import print_json, printable
from croupier.descriptors import Fault, FaultyDescriptor
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument
from croupier.packs.bounds import ARCHIVE_BYTES
from croupier.packs.differences import PackDifference, difference
from croupier.packs.folder import read_folder, write_folder
from croupier.packs.pack import Pack
from croupier.packs.reading import read_pack, read_packs
from croupier.packs.signing import (
    KEY_BYTES,
    SIGNATURE_FILE,
    TrustedKey,
    make_key,
    read_private_key,
    read_trusted_keys,
    sign,
    signature_json,
    verify,
)
from croupier.packs.skeleton import skeleton
from croupier.packs.tar import read_archive
from croupier.shipped import shipped_pack


class ReadablePack(click.Path):
    """A folder or a .tgz; or the name of a pack that comes with Croupier, where nothing here has that name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, exists=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = os.fspath(value)
        shipped = None if os.path.lexists(text) else shipped_pack(text)
        return shipped or super().convert(value, param, ctx)


PACK = click.argument("pack", type=click.Path(path_type=Path, exists=True))
READ_PACK = click.argument("pack", type=ReadablePack())
JSON = click.option("--json", "as_json", is_flag=True, help="print what programs read; errors as a problem document")


@click.command()
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), metavar="DIR", help="where; a folder of the pack's name")
@JSON
def new(name: str, folder: Path | None, as_json: bool) -> None:
    """Make a folder with a pack NAME that has one function and can be installed as it is."""
    target = folder or Path(name)
    with telling(f"no pack {name} was made", as_json=as_json):
        files = skeleton(name)
        read_pack(files)
        if target.exists() and any(target.iterdir()):
            raise FailedPrecondition(f"{target} is not empty: choose another folder with --folder")
        write_folder(target, files)
    if as_json:
        print_json({"folder": str(target), "files": sorted(files)})
    else:
        click.echo(f"{target} is a pack: `croupier pack validate {target}`, `croupier pack install {target}`")


@click.command()
@READ_PACK
@JSON
def validate(pack: Path, as_json: bool) -> None:
    """Check PACK and list every fault with its file and place. The exit code is 1 when there is one."""
    with telling(f"{pack} is no pack that can be installed", as_json=as_json):
        found = load(pack)
    if as_json:
        print_json({"valid": True, "packs": [{**_about(each), "notes": faults_json(each.notes)} for each in found]})
        return
    for each in found:
        for note in each.notes:
            click.echo(printable(f"note: {place(note)}"), err=True)
        click.echo(f"{_title(each)}: {_count(each)}, sha256 {each.digest}")


@click.command()
@READ_PACK
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="else NAME-VERSION.tgz")
@JSON
def build(pack: Path, output: Path | None, as_json: bool) -> None:
    """Write PACK as a .tgz: the same bytes for the same pack. A pack with faults is not built."""
    with telling(f"{pack} was not built", as_json=as_json):
        found = load_one(pack)
        if found.signature is not None and (found.signature.name, found.signature.digest) != (found.name, found.digest):
            raise FailedPrecondition(
                f"{pack} was changed since it was signed: sign it anew, or delete {SIGNATURE_FILE}"
            )
        target = output or Path("-".join(filter(None, (found.name, found.version))) + ".tgz")
        _write_archive(target, found)
    if as_json:
        print_json({**_about(found), "file": str(target)})
    else:
        click.echo(f"{target}: {_title(found)}, {_count(found)}, sha256 {found.digest}")


@click.command(name="sign")
@PACK
@click.option("--key", required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE", help="private key")
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="else PACK itself is signed")
@JSON
def sign_pack(pack: Path, key: Path, output: Path | None, as_json: bool) -> None:
    """Sign PACK with the ed25519 key in FILE, as `croupier pack keygen` or ssh-keygen made it."""
    with telling(f"{pack} was not signed", as_json=as_json):
        found = load_one(pack)
        signature = sign(read_private_key(_read_key(key, secret=True)), found.name, found.digest)
        if pack.is_dir() and output is None:
            (pack / SIGNATURE_FILE).write_bytes(signature_json(signature))
        else:
            _write_archive(output or pack, replace(found, signature=signature))
    if as_json:
        print_json({**_about(found), "key_id": signature.key_id})
    else:
        click.echo(f"{_title(found)} is signed by key {signature.key_id}")


@click.command(name="verify")
@PACK
@click.option(
    "--trusted", required=True, multiple=True, type=click.Path(path_type=Path, exists=True), metavar="FILE",
    help="public keys, one a line; repeatable",
)  # fmt: skip
@JSON
def verify_pack(pack: Path, trusted: tuple[Path, ...], as_json: bool) -> None:
    """Say who signed PACK. The exit code is 5 when nobody who is trusted did."""
    with telling(f"{pack} is not to be trusted", as_json=as_json):
        keys: dict[str, TrustedKey] = {}
        for file in trusted:
            keys |= read_trusted_keys(_read_key(file))
        signers = {each.name: _signer(each, keys) for each in load(pack)}
    if as_json:
        print_json({"signed_by": signers})
    else:
        for name, signer in signers.items():
            click.echo(printable(f"{name} is signed by {signer}"))


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("croupier_ed25519"))
@click.option("--comment", help="whose key it is; user@host by default")
@JSON
def keygen(file: Path, comment: str | None, as_json: bool) -> None:
    """Make an ed25519 key: FILE is the private one, FILE.pub the public one for a server's trusted keys."""
    said = comment or f"{getpass.getuser()}@{socket.gethostname()}"
    public = file.with_name(file.name + ".pub")
    with telling("no key was made", as_json=as_json):
        if not said.isprintable():
            raise InvalidArgument("a comment is one line of text")
        if public.exists():
            raise FailedPrecondition(f"{public} is there already: choose another name, or move it away")
        made = make_key(said)
        for path, content, mode in ((file, made[0], 0o600), (public, made[1], 0o644)):
            _create(path, content, mode)
    key = next(iter(read_trusted_keys(made[1])))
    if as_json:
        print_json({"private": str(file), "public": str(public), "key_id": key})
    else:
        click.echo(f"key {key}: {file} stays with you, the line in {public} goes into the servers' trusted keys")


COMMANDS = (new, validate, build, sign_pack, verify_pack, keygen)


# ------------------------------------------------------------------------------------------------ packs and their faults


def load(pack: Path) -> list[Pack]:
    """The packs in a folder or an archive. Raises CroupierError, OSError."""
    return read_packs(_files(pack), _name_of(pack))


def load_one(pack: Path) -> Pack:
    return read_pack(_files(pack), _name_of(pack))


def difference_of(old: Path, new: Path) -> PackDifference:
    return difference(load_one(old), load_one(new))


@contextmanager
def telling(what: str, *, as_json: bool) -> Iterator[None]:
    """A failure inside ends the command with `what`, why, and every fault."""
    try:
        yield
    except FaultyDescriptor as error:
        errors = faults_json(error.faults)
        document = {"detail": "it has faults", "reason": error.reason, "errors": errors}
        fail(what, Problem(reason=error.reason, detail=f"{len(errors)} faults", document=document), as_json=as_json)
    except CroupierError as error:
        fail(what, Problem(reason=error.reason, detail=error.message), as_json=as_json)
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        fail(what, Problem(reason="failed_precondition", detail=detail), as_json=as_json)


def faults_json(faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [
        {"file": each.file, "path": each.path, "message": each.message.en, "message_zh": each.message.zh}
        for each in faults
    ]


def place(fault: Fault) -> str:
    return f"{fault.file}:{fault.path}: {fault.message.en}"


def _files(pack: Path) -> dict[str, bytes]:
    if pack.is_dir():
        return read_folder(pack)
    with pack.open("rb") as file:
        return read_archive(file.read(ARCHIVE_BYTES + 1))


def _name_of(pack: Path) -> str:
    """What a pack is called that does not say its name: as its folder, or its archive without version and ending."""
    return pack.resolve().name if pack.is_dir() else name_of_file(pack.name)


def name_of_file(file: str) -> str:
    stem = file.removesuffix(".tgz").removesuffix(".tar.gz")
    head, _, tail = stem.rpartition("-")
    return head if head and tail[:2].strip("v")[:1].isdigit() else stem


def _about(pack: Pack) -> Mapping[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "digest": pack.digest,
        "functions": [each.id for each in pack.functions],
        "entities": [each.id for each in pack.entities],
    }


def _title(pack: Pack) -> str:
    return printable(" ".join(filter(None, (pack.name, pack.version))))


def _count(pack: Pack) -> str:
    return f"{len(pack.functions)} functions, {len(pack.entities)} entities, {len(pack.files)} files"


# ------------------------------------------------------------------------------------------------ keys


def _signer(pack: Pack, keys: Mapping[str, TrustedKey]) -> str:
    if pack.signature is None:
        fail(
            f"{pack.name} is not to be trusted",
            Problem(reason="permission_denied", detail="it is not signed"),
            as_json=False,
        )
    return verify(pack.signature, keys, pack.name, pack.digest)


def _read_key(file: Path, *, secret: bool = False) -> bytes:
    with file.open("rb") as opened:
        if secret and os.fstat(opened.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise FailedPrecondition(f"{file} can be read by others: run `chmod 600 {file}`")
        return opened.read(KEY_BYTES + 1)


def _create(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _write_archive(target: Path, pack: Pack) -> None:
    """Beside it first, so that no half archive ever stands there."""
    beside = target.with_name(f".{target.name}.unfinished")
    beside.write_bytes(pack.archive())
    beside.replace(target)
