"""What is old moves out of the database, whatever is killed on the way; nothing is lost and nothing is told twice."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from tests.planes.events_testbed import events
from tests.planes.scripted_agent import eventually, running

from croupier.domain.call import Call, Result
from croupier.domain.job import Job, JobEvent
from croupier.domain.listing import CallFilter
from croupier.domain.scope import Scope
from croupier.errors import HandlerFailed, InternalError, NotFound, Unavailable
from croupier.objects.disk import DiskObjects
from croupier.server.archive import Archive
from croupier.server.retention import Kept, Retention
from croupier.store.sql import SqlStore, open_store, system_clock

DAY = 86_400_000
START = 1_769_871_600_000
"""2026-01-31T15:00:00Z"""
RESULT = b'{"sent": 12345678901234567890123, "text": "\\u8a9e"}'


class Killed(BaseException):
    """The process dies here."""


class Place:
    """One data folder, in which processes live one after the other."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.objects = folder / "objects"
        self._database = folder / "croupier.db"

    async def open(self) -> SqlStore:
        return await open_store(self._database, clock=lambda: self.now)

    def archive(self) -> Archive:
        return Archive(DiskObjects(self.objects))

    def retention(self, store: SqlStore, archive: Archive | None) -> Retention:
        kept = Kept(calls=30 * 86_400.0, jobs=30 * 86_400.0)
        return Retention(store=store, archive=archive, clock=lambda: self.now, kept=kept, pause=0.0)

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.objects)): path.read_bytes() for path in sorted(self.objects.rglob("*.jsonl.gz"))
        }

    def lines(self, name: str) -> list[dict]:
        return [orjson.loads(line) for line in gzip.decompress(self.files()[name]).splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[SqlStore]:
    opened = await place.open()
    yield opened
    await opened.close()


def a_call(call_id: str, **changes) -> Call:
    given = {"id": call_id, "function_id": "f", "scope": Scope("demo", "dev"), "payload": b'{"a": 1}', "caller": "ann"}
    return Call(**given | changes)


async def fill(place: Place, store: SqlStore, events: int = 1_203) -> None:
    """A job with its call, three more calls, all of one day."""
    await store.create(a_call("j1"))
    await store.finish("j1", Result(payload=b"j1"))
    story = [JobEvent(job_id="j1", seq=n, type="log", message=f"l{n}", time_ms=place.now) for n in range(1, events)]
    await store.append([*story, JobEvent(job_id="j1", seq=events, type="done", payload=RESULT, time_ms=place.now)])
    for number in range(3):
        await store.begin(a_call(f"c{number}", metadata={"ticket": "T-7"}))
    await store.finish("c0", Result(payload=b"\xff", service_id="game-1"))
    await store.finish("c1", HandlerFailed("ValueError", {"line": "7"}))
    await store.finish("c2", Result(payload=b"[1]"))


async def story_of(archive: Archive, job: Job, after: int = 0) -> list[JobEvent]:
    return [event async for batch in archive.story(job, after) for event in batch]


async def test_nothing_moves_before_its_time(place, store):
    await fill(place, store)
    place.now += 30 * DAY

    await place.retention(store, place.archive()).sweep()

    assert not place.files()
    assert len((await store.calls(CallFilter(), 10)).items) == 4


async def test_an_old_job_is_read_from_the_archive_as_it_was(place, store):
    await fill(place, store)
    before = [*await store.events("j1", 0, 1_000), *await store.events("j1", 1_000, 1_000)]
    place.now += 30 * DAY + 1
    archive = place.archive()

    await place.retention(store, archive).sweep()

    job = await store.job("j1")
    assert await store.events("j1", 0, 10) == []
    assert await story_of(archive, job) == before
    assert [event.seq for event in await story_of(archive, job, 1_200)] == [1_201, 1_202, 1_203]
    assert (await archive.with_result(job)).payload == RESULT


async def test_old_calls_lie_in_the_folder_of_their_day(place, store):
    await fill(place, store)
    place.now += DAY
    await store.begin(a_call("c9"))
    await store.finish("c9", Result(payload=b"1"))
    place.now += 30 * DAY + 1

    await place.retention(store, place.archive()).sweep()

    assert list(place.files()) == [
        "calls/2026-01-31/c0.jsonl.gz",
        "calls/2026-02-01/c9.jsonl.gz",
        "jobs/2026-01-31/j1.jsonl.gz",
    ]


async def test_an_archived_call_has_its_arguments_and_its_end(place, store):
    await fill(place, store)
    place.now += 30 * DAY + 1

    await place.retention(store, place.archive()).sweep()

    first, failed, last, job = place.lines("calls/2026-01-31/c0.jsonl.gz")
    assert (first["call_id"], first["payload"], first["metadata"]) == ("c0", {"a": 1}, {"ticket": "T-7"})
    assert (first["state"], first["result"]) == ("succeeded", {"payload_base64": "/w=="})
    assert first["trail"]["service_id"] == "game-1"
    assert (failed["state"], failed["reason"], failed["details"]) == ("failed", "handler_failed", {"line": "7"})
    assert (last["result"], job["kind"]) == ({"payload": [1]}, "job")
    assert await store.call("c0") is None


STEPS = ["put", "archive_job", "forget_events", "forget_calls"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_between_two_steps_loses_nothing_and_writes_the_same_again(place, step, when, monkeypatch):
    store = await place.open()
    await fill(place, store)
    before = [*await store.events("j1", 0, 1_000), *await store.events("j1", 1_000, 1_000)]
    place.now += 30 * DAY + 1
    dying = DiskObjects if step == "put" else SqlStore
    original = getattr(dying, step)

    async def die(self, *given):
        if when == "after":
            await original(self, *given)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(dying, step, die)
        with pytest.raises(Killed):
            await place.retention(store, place.archive()).sweep()
    await store.close()
    written = place.files()

    store = await place.open()
    archive = place.archive()
    await place.retention(store, archive).sweep()

    job = await store.job("j1")
    assert await story_of(archive, job) == before
    assert {name: content for name, content in place.files().items() if name in written} == written
    archived = [line["call_id"] for name in place.files() if name.startswith("calls") for line in place.lines(name)]
    assert sorted(archived) == ["c0", "c1", "c2", "j1"]
    assert (await store.calls(CallFilter(), 10)).items == []
    await store.close()


async def test_what_the_archive_refuses_stays_in_the_database(place, store):
    await fill(place, store)
    place.now += 30 * DAY + 1
    place.objects.write_text("a file is in the way")

    with pytest.raises(Unavailable):
        await place.retention(store, place.archive()).sweep()

    assert len(await store.events("j1", 0, 2_000)) == 1_203
    assert not (await store.job("j1")).archived
    assert len((await store.calls(CallFilter(), 10)).items) == 4


async def test_without_an_archive_what_is_old_is_deleted(place, store):
    await fill(place, store)
    place.now += 30 * DAY + 1

    await place.retention(store, None).sweep()

    job = await store.job("j1")
    assert not place.files()
    assert (await place.archive().with_result(job)).payload == b""
    with pytest.raises(NotFound, match="no longer kept"):
        await story_of(place.archive(), job)
    assert (await store.calls(CallFilter(), 10)).items == []


async def test_a_damaged_object_is_named_as_such(place, store):
    await fill(place, store)
    place.now += 30 * DAY + 1
    await place.retention(store, place.archive()).sweep()
    (place.objects / "jobs/2026-01-31/j1.jsonl.gz").write_bytes(b"rubbish")

    with pytest.raises(InternalError, match="damaged"):
        await story_of(place.archive(), await store.job("j1"))


async def test_followers_and_readers_of_an_archived_job_see_no_difference(tmp_path):
    place = Place(tmp_path)
    place.now = system_clock() - 40 * DAY
    store = await place.open()
    await fill(place, store)
    await store.close()

    async with running(tmp_path) as server:

        async def is_cleared() -> bool:
            calls = (await server.request("GET", "/api/calls")).json["calls"]
            return (await server.job("j1"))["archived"] and not calls

        await eventually(is_cleared)
        job = await server.job("j1")
        story = await server.follow("j1")
        rest = await server.follow("j1", after=1_201)
        async with events(server, "job:j1") as stream:
            await stream.until(lambda each: each.type == "done")
            live = [each.told["seq"] for each in stream.seen if each.type in {"log", "done"}]
            cut = next(each.id for each in stream.seen if each.type == "log" and each.told["seq"] == 700)
        async with events(server, "job:j1", cursor=cut) as stream:
            assert (await stream.of("job:j1", "log"))["seq"] == 701

    assert (job["state"], job["last_seq"], job["payload"]["text"]) == ("succeeded", 1_203, "語")
    assert [seq for seq, _, _ in story] == list(range(1, 1_204))
    assert story[-1][1:] == ("done", {"type": "done", "message": "", "progress": 0, "payload": orjson.loads(RESULT)})
    assert [seq for seq, _, _ in rest] == [1_202, 1_203]
    assert live == list(range(1, 1_204))
