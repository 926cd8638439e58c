"""What is old leaves the audit record by itself; the archive has it before, and both can be verified afterwards."""

import gzip
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from tests.planes.scripted_agent import eventually, running

from croupier.audit.signing import Signer
from croupier.audit.verify import ExportCheck, Verdict
from croupier.cli.audit import command
from croupier.domain.audit import SYSTEM, Note
from croupier.errors import FailedPrecondition, Unavailable
from croupier.objects.disk import DiskObjects
from croupier.server.access.audit import CHAIN_PURPOSE, SIGN_PURPOSE, Audit, Checkpoints, Masker
from croupier.server.access.audit.cutting import Cuts
from croupier.server.access.audit.reader import ChainReader, Keys
from croupier.server.access.keys import load_key
from croupier.server.archive import Archive
from croupier.server.audit_retention import AuditRetention
from croupier.store.sql import SqlStore, open_store

DAY = 86_400_000
START = 1_769_871_600_000
KEEP_DAYS = 30


class Killed(BaseException):
    """The process dies here."""


class Place:
    """One data folder and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = START
        key = load_key(folder)
        self.keys = Keys(chain=key.derive(CHAIN_PURPOSE), signer=Signer(key.derive(SIGN_PURPOSE)))
        self.archive = Archive(DiskObjects(folder / "objects"))

    async def begin(self) -> None:
        self.store: SqlStore = await open_store(
            self.folder / "croupier.db", clock=self.clock, audit_key=self.keys.chain
        )
        audit, objects, signer = Audit(self.store.audit, Masker(b"m" * 32)), self.archive, self.keys.signer
        self.checkpoints = Checkpoints(self.store.audit, DiskObjects(self.folder / "objects"), signer, self.clock)
        reader = ChainReader(store=self.store.audit, checkpoints=self.checkpoints, keys=self.keys, clock=self.clock)
        self.reader = reader
        cuts = Cuts(
            store=self.store.audit,
            reader=reader,
            checkpoints=self.checkpoints,
            audit=audit,
            signer=signer,
            clock=self.clock,
        )
        self.retention = AuditRetention(
            store=self.store.audit,
            cuts=cuts,
            archive=objects,
            clock=self.clock,
            keep=KEEP_DAYS * 86_400.0,
            rows=100,
        )

    def clock(self) -> int:
        return self.now

    async def write(self, rows: int) -> None:
        await self.store.audit.record(*(Note(actor=SYSTEM, action="users.create") for _ in range(rows)))

    async def first(self) -> int:
        return (await self.store.audit.rows((await self.reader.begin()).seq, 1))[0].seq

    async def verified(self) -> Verdict:
        return await self.reader.verify(await self.store.audit.head())

    def archived(self) -> list[Path]:
        return sorted((self.folder / "objects" / "audit").glob("*.jsonl.gz"))

    def verdict_of(self, file: Path) -> Verdict:
        check = ExportCheck(key=self.keys.chain, witness=self.keys.signer.witness)
        for line in gzip.decompress(file.read_bytes()).splitlines(keepends=True):
            check.feed(line)
        return check.finish()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    await place.begin()
    yield place
    await place.store.close()


def bend(place: Place, statement: str) -> None:
    with sqlite3.connect(place.folder / "croupier.db") as connection:
        connection.execute(statement)
    connection.close()


async def test_rows_stay_until_a_whole_day_of_them_is_old(place: Place):
    await place.write(5)
    place.now += (KEEP_DAYS + 1) * DAY
    await place.retention.sweep()

    assert await place.first() == 1
    assert place.archived() == []


async def test_old_rows_lie_in_the_archive_and_the_rest_holds_without_them(place: Place):
    await place.write(5)
    await place.checkpoints.make()
    place.now += 32 * DAY
    await place.write(3)
    await place.checkpoints.make()

    await place.retention.sweep()

    assert await place.first() == 6
    (file,) = place.archived()
    verdict = place.verdict_of(file)
    assert verdict.holds, verdict.faults
    assert (verdict.rows, verdict.last, verdict.checkpoints, verdict.whole) == (5, 5, 1, True)
    verdict = await place.verified()
    assert verdict.holds, verdict.faults
    said = [orjson.loads(each.row) for each in await place.store.audit.rows(8, 10)]
    assert [(each["action"], each["phase"], each["actor"]["name"]) for each in said] == [
        ("audit.cut", "intent", "croupier"),
        ("audit.cut", "outcome", "croupier"),
    ]
    assert orjson.loads(said[0]["details"])["kept_as"] == f"audit/{file.name}"


async def test_checkpoints_go_with_the_rows_that_they_were_signed_for(place: Place):
    await place.write(3)
    await place.checkpoints.make()
    await place.write(2)
    await place.checkpoints.make()
    place.now += 32 * DAY
    await place.write(3)
    newest = await place.checkpoints.make()

    await place.retention.sweep()

    assert newest is not None
    assert [each.seq for each in await place.store.audit.checkpoints(0, 10)] == [newest.seq]
    assert [each.seq for each in await place.checkpoints.kept()] == [newest.seq]
    assert len(list((place.folder / "objects" / "audit-checkpoints").iterdir())) == 1


async def test_what_is_old_goes_some_rows_at_a_time_and_none_is_missing_between_two_archives(place: Place):
    await place.write(250)
    place.now += 32 * DAY
    await place.write(1)
    await place.retention.sweep()

    verdicts = [place.verdict_of(file) for file in place.archived()]

    assert [(each.first, each.last) for each in verdicts] == [(1, 100), (101, 200), (201, 250)]
    assert all(each.holds for each in verdicts)
    assert (await place.verified()).holds


async def test_a_record_that_was_bent_is_neither_archived_nor_cut(place: Place):
    await place.write(5)
    bend(place, "UPDATE audit SET mac = zeroblob(32) WHERE seq = 3")
    place.now += 32 * DAY

    with pytest.raises(FailedPrecondition, match="row 3"):
        await place.retention.sweep()

    assert await place.first() == 1
    assert place.archived() == []


async def test_a_row_that_a_wrong_clock_dated_back_takes_no_newer_one_along(place: Place):
    await place.write(2)
    place.now += 32 * DAY
    await place.write(2)
    place.now -= 40 * DAY
    await place.write(1)
    place.now += 40 * DAY

    await place.retention.sweep()

    assert await place.first() == 3


async def test_a_kill_between_archive_and_cut_loses_nothing(place: Place, monkeypatch):
    await place.write(5)
    place.now += 32 * DAY

    async def killed(cut):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place.store.audit, "cut", killed)
        with pytest.raises(Killed):
            await place.retention.sweep()
    assert await place.first() == 1
    await place.store.close()
    await place.begin()

    await place.retention.sweep()

    assert await place.first() == 6
    assert (await place.verified()).holds
    assert [place.verdict_of(file).holds for file in place.archived()] == [True]


async def test_what_the_archive_refuses_stays(place: Place):
    await place.write(5)
    place.now += 32 * DAY
    (place.folder / "objects").write_text("in the way")

    with pytest.raises(Unavailable):
        await place.retention.sweep()

    assert await place.first() == 1


async def test_an_archived_export_is_verified_at_the_command_line(place: Place):
    await place.write(5)
    place.now += 32 * DAY
    await place.retention.sweep()
    (file,) = place.archived()
    flags = ["verify", str(file), "--key-file", str(place.folder / "key")]

    whole = CliRunner().invoke(command, flags)
    file.write_bytes(file.read_bytes()[:-20])
    damaged = CliRunner().invoke(command, flags)

    assert (whole.exit_code, damaged.exit_code) == (0, 1)
    assert "holds: 5 rows" in whole.output
    assert "damaged" in damaged.output


async def test_a_server_takes_away_what_its_settings_say_is_old(tmp_path: Path):
    key = load_key(tmp_path).derive(CHAIN_PURPOSE)
    store = await open_store(tmp_path / "croupier.db", clock=lambda: START - 400 * DAY, audit_key=key)
    await store.audit.record(*(Note(actor=SYSTEM, action="users.create") for _ in range(7)))
    await store.close()

    async with running(tmp_path, retention_audit="100d") as server:

        async def is_cut() -> bool:
            found = (await server.request("GET", "/api/audit", params={"action": "audit.cut"})).json["rows"]
            return [each["phase"] for each in found] == ["outcome", "intent"]

        await eventually(is_cut)
        assert (await server.request("GET", "/api/audit/7")).status == 404
        assert (await server.request("POST", "/api/audit/verify")).json["holds"]
    assert [file.name for file in (tmp_path / "objects" / "audit").iterdir()] == [
        "0000000000000001-0000000000000007.jsonl.gz"
    ]
