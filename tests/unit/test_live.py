"""The parts of the live stream: cursors, rings, what fills them, what is told of health."""

import asyncio
import base64
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.bus.memory import MemoryBus
from croupier.domain.approval import person_of
from croupier.domain.call import Call, Result
from croupier.domain.job import JobEvent, JobState
from croupier.domain.maintenance import Window
from croupier.domain.policy import Within
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, NotFound, Unavailable
from croupier.server.access.limits import Windows
from croupier.server.access.policy.policy import Policy
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.ears import WAITING, Ears
from croupier.server.live import CURSOR_CHARACTERS, MOST_TOPICS, read_topics
from croupier.server.live.board import KEPT, Board, Item
from croupier.server.live.board_feed import PAGE, BoardFeed, Sight, Undecided
from croupier.server.live.cursor import Cursor, board_head, job_head, mark, read_cursor
from croupier.server.live.frames import KEPT_BYTES, JobFrames, dumped, event, frame, line, written
from croupier.server.live.hub import Hub
from croupier.server.live.pulse import BEATS, Counted, Pulse
from croupier.server.live.sights import CatalogSight, MaintenanceSight, RegistrySight
from croupier.server.live.sources import MOST_AT_ONCE, LookedAt, LookedUp, Told
from croupier.server.live.topics import CALLS, JOBS, RINGED
from croupier.server.news import CALLS as CALLS_NOTICES
from croupier.server.news import News, read_call_ended

ROOT = Principal(name="developer", root=True)
SCOPE = Scope("demo", "dev")


def _nobody():
    """Does not care to be woken."""


def item(key, **fields):
    return Item(key=key, kind="told", data=b"{}", **fields)


async def a_moment(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 — nobody tells of it
            await asyncio.sleep(0.001)


# ------------------------------------------------------------------------------------------------ topics and cursors


def test_topics_are_read_once_each_in_the_order_they_were_asked_for():
    assert read_topics("health,job:j1,jobs,job:j1") == ("health", "job:j1", "jobs")


@pytest.mark.parametrize(
    "text", ["", "nothing", "job:", "job:a b", "job:a\n", "bulk:" + "x" * 101, "jobs,", "Jobs", "job:é"]
)
def test_a_topic_that_there_is_not_is_named(text):
    with pytest.raises(InvalidArgument, match="unknown topic"):
        read_topics(text)


POSITIONS = st.dictionaries(
    st.text("abcdef0123456789", min_size=1, max_size=30), st.integers(0, 2**53), max_size=MOST_TOPICS
)


@given(POSITIONS, st.sets(st.sampled_from(RINGED), min_size=1), st.integers(0, 2**47))
def test_a_cursor_comes_back_as_it_went_whichever_of_its_entries_stands_last(jobs, topics, seq):
    board = board_head(topics) + b"%x" % seq
    entries = [job_head(f"job:{name}") + b"%x" % at for name, at in jobs.items()]
    for cursor in (b"Ab3_E-gH" + board + b"".join(entries), b"Ab3_E-gH" + b"".join(entries) + board):
        assert len(cursor) <= CURSOR_CHARACTERS
        found = read_cursor(cursor.decode())
        assert found is not None
        assert (found.epoch, found.topics, found.seq) == ("Ab3_E-gH", topics, seq)
        assert found.jobs == {mark(f"job:{name}"): at for name, at in jobs.items()}


@given(st.text(max_size=100))
def test_rubbish_is_no_cursor_and_breaks_nothing(text):
    found = read_cursor(text)
    assert found is None or found.epoch == text[:8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "Ab3_E-gH.",
        "Ab3_E-gH.~7f",
        "Ab3_E-gH.xyz",
        "Ab3_E-gH.~7f1 ",
        "x" * 5000,
        "Ab3_E-gH" + ".~7f1" * 500,
    ],
)
def test_what_is_not_of_the_form_of_a_cursor_is_none(text):
    assert read_cursor(text) is None


def test_the_epoch_of_a_board_can_stand_in_a_cursor():
    assert len(base64.urlsafe_b64decode(Board().epoch)) == 6


# ------------------------------------------------------------------------------------------------ frames


def test_each_frame_goes_under_the_cursor_that_it_ends():
    frames = [frame(26, line("calls", "ended", b"{}")), frame(27, event("reset", topic="jobs", reason="missed"))]
    assert written(b"EPOCH.~02", frames) == (
        b'id: EPOCH.~021a\ndata: {"topic":"calls","type":"ended","data":{}}\n\n'
        b'id: EPOCH.~021b\nevent: reset\ndata: {"topic":"jobs","reason":"missed"}\n\n'
    )


def test_an_event_says_what_state_its_job_is_in_by_it():
    frames = JobFrames().of(
        "job:j1",
        [
            JobEvent(job_id="j1", seq=1, type="log", message="a\n\nid: 9"),
            JobEvent(job_id="j1", seq=2, type="error", message="\ud800", reason="lost"),
        ],
    )
    one, two = (json.loads(each.split(b"data: ")[1])["data"] for each in frames)
    assert (one["state"], one["message"], "reason" in one) == ("running", "a\n\nid: 9", False)
    assert (two["state"], two["message"], two["reason"]) == (JobState.LOST, "?", "lost")


def test_a_crowd_is_sent_frames_that_are_made_once_and_old_ones_are_forgotten():
    frames = JobFrames()
    events = [JobEvent(job_id="j1", seq=1, type="log", message="x" * (KEPT_BYTES // 3))]
    (made,) = frames.of("job:j1", events)
    assert frames.of("job:j1", events)[0] is made
    for name in "234":
        frames.of(f"job:j{name}", events)
    assert frames.of("job:j1", events)[0] is not made


@given(
    st.recursive(
        st.none() | st.text() | st.integers(-5, 5), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_is_told_stays_on_its_line(data):
    assert b"\n" not in dumped(data)
    assert b"\r" not in dumped(data)


# ------------------------------------------------------------------------------------------------ the board


def test_a_board_has_what_was_told_since_it_began_and_not_more():
    board = Board()
    assert not board.has_all(CALLS, 0)
    board.begin(CALLS)
    start = board.seq
    board.put(CALLS, item("a"))
    board.put(CALLS, item("b"))
    assert board.has_all(CALLS, start)
    assert not board.has_all(CALLS, start - 1)
    assert not board.has_all(CALLS, board.seq + 1)
    assert not board.has_all(JOBS, start)
    assert [each.item.key for each in board.after(CALLS, start)] == ["a", "b"]
    assert [each.item.key for each in board.after(CALLS, start + 1)] == ["b"]


def test_what_ended_and_began_again_has_nothing_of_before():
    board = Board()
    board.begin(CALLS)
    start = board.seq
    board.end(CALLS)
    board.begin(CALLS)
    assert not board.has_all(CALLS, start)
    assert board.has_all(CALLS, board.seq)


def test_what_falls_out_of_a_ring_is_known_to_be_missing():
    board = Board()
    board.begin(CALLS)
    start = board.seq
    for number in range(KEPT + 1):
        board.put(CALLS, item(str(number)))
    assert not board.has_all(CALLS, start)
    assert board.has_all(CALLS, start + 1)
    assert len(board.after(CALLS, start + 1)) == KEPT


def test_what_cannot_be_told_is_missing_for_whoever_was_before_it():
    board = Board()
    board.begin(CALLS)
    start = board.seq
    board.lose(CALLS)
    board.put(CALLS, item("a"))
    assert not board.has_all(CALLS, start)
    assert board.has_all(CALLS, start + 1)


# ------------------------------------------------------------------------------------------------ ears and sources


async def test_many_listeners_share_one_subscription_which_ends_with_the_last():
    bus = MemoryBus()
    ears = Ears(bus)
    heard = Counter()
    listeners = [lambda notice, name=name: heard.update({name: int(notice.body)}) for name in "ab"]
    for told in listeners:
        await ears.listen("t", told)
    await bus.publish("t", b"1")
    await a_moment(lambda: heard == {"a": 1, "b": 1})
    ears.leave("t", listeners[0])
    await bus.publish("t", b"2")
    await a_moment(lambda: heard["b"] == 3)
    assert heard["a"] == 1
    ears.leave("t", listeners[1])
    ears.leave("t", listeners[1])
    await a_moment(lambda: not bus.heard("t"))
    await ears.close()


async def test_more_notices_than_can_wait_are_a_loss_for_the_board():
    bus, board = MemoryBus(), Board()
    ears = Ears(bus)
    source = Told(board, CALLS, ears, "t", lambda body: item(body.decode()))
    await source.begin()
    board.begin(CALLS)
    start = board.seq
    for number in range(WAITING + 1):
        await bus.publish("t", str(number).encode())
    await a_moment(lambda: board.after(CALLS, start) and board.after(CALLS, start)[-1].item.key == str(WAITING))
    assert not board.has_all(CALLS, start)
    source.end()
    await ears.close()


class LookUp:
    def __init__(self):
        self.asked = []
        self.answer = item

    async def __call__(self, what):
        self.asked.append(what)
        return self.answer(what)


@pytest.fixture
async def looked_up():
    bus, board, look_up = MemoryBus(), Board(), LookUp()
    ears = Ears(bus)
    source = LookedUp(board, JOBS, ears, "t", look_up)
    await source.begin()
    board.begin(JOBS)
    yield bus, board, look_up
    source.end()
    await ears.close()


async def test_what_changes_often_is_looked_up_once(looked_up):
    bus, board, look_up = looked_up
    start = board.seq
    for _ in range(5):
        await bus.publish("t", b"j1")
    await bus.publish("t", b"j2")
    await a_moment(lambda: len(board.after(JOBS, start)) == 2)
    assert look_up.asked == ["j1", "j2"]


async def test_what_is_gone_when_it_is_looked_up_is_not_told(looked_up):
    bus, board, look_up = looked_up
    start = board.seq
    look_up.answer = lambda what: None if what == "j1" else item(what)
    await bus.publish("t", b"j1")
    await bus.publish("t", b"j2")
    await a_moment(lambda: board.after(JOBS, start))
    assert [each.item.key for each in board.after(JOBS, start)] == ["j2"]


async def test_what_cannot_be_looked_up_is_lost_and_the_next_is_told(looked_up):
    bus, board, look_up = looked_up
    start = board.seq

    def refused(what):
        raise Unavailable("the disk is full")

    look_up.answer = refused
    await bus.publish("t", b"j1")
    await a_moment(lambda: not board.has_all(JOBS, start))
    look_up.answer = item
    await bus.publish("t", b"j2")
    await a_moment(lambda: board.after(JOBS, start))


async def test_more_changes_at_once_than_are_looked_up_are_lost(looked_up):
    bus, board, look_up = looked_up
    start = board.seq
    for number in range(MOST_AT_ONCE + 1):
        await bus.publish("t", str(number).encode())
    await a_moment(lambda: look_up.asked)
    assert look_up.asked == [str(MOST_AT_ONCE)]
    assert not board.has_all(JOBS, start)


async def test_what_is_looked_at_is_told_when_it_has_changed_since_one_began():
    board = Board()
    tags = ["one"]
    source = LookedAt(board, "catalog", CatalogSight(lambda: tags[-1]).look, every=0.0)
    await source.begin()
    board.begin("catalog")
    start = board.seq
    tags.append("two")
    await a_moment(lambda: board.after("catalog", start))
    source.end()
    assert [each.item.data for each in board.after("catalog", start)] == [b'{"etag":"two"}']


async def test_a_call_is_written_only_where_somebody_listens():
    bus = MemoryBus()
    news = News(bus)
    assert not news.heard(CALLS_NOTICES)
    assert not News().heard(CALLS_NOTICES)
    await News().call_ended(call(), Result(payload=b""))
    async with bus.subscribe(CALLS_NOTICES) as notices:
        assert news.heard(CALLS_NOTICES)
        await news.call_ended(call(), NotFound("nobody"), 1500)
        told = read_call_ended((await anext(notices)).body)
    assert (told.id, told.function, told.outcome, told.ms) == ("c1", "f", "not_found", 1.5)


def call():
    return Call(id="c1", function_id="f", scope=SCOPE, payload=b"{}", caller="ann")


# ------------------------------------------------------------------------------------------------ the hub


class Filled:
    """A source that a test begins and ends with others."""

    def __init__(self):
        self.begun = self.ended = 0
        self.refusal = None

    async def begin(self):
        if self.refusal is not None:
            raise self.refusal
        self.begun += 1

    def end(self):
        self.ended += 1


async def test_a_topic_is_filled_while_somebody_reads_it_and_a_while_after(monkeypatch):
    monkeypatch.setattr("croupier.server.live.hub.LINGER", 0.0)
    source, board = Filled(), Board()
    hub = Hub(board, {CALLS: source})
    one, two = (lambda: None), (lambda: None)
    await hub.join([CALLS], one)
    start = board.seq
    await hub.join([CALLS], two)
    hub.leave([CALLS], one)
    hub.leave([CALLS], one)
    assert source.begun == 1
    assert board.has_all(CALLS, start)
    hub.leave([CALLS], two)
    await a_moment(lambda: source.ended)
    assert not board.has_all(CALLS, start)
    await hub.join([CALLS], one)
    assert not board.has_all(CALLS, start)
    hub.close()


async def test_whoever_comes_back_in_time_finds_all_that_was_told():
    source, board = Filled(), Board()
    hub = Hub(board, {CALLS: source})
    await hub.join([CALLS], _nobody)
    start = board.seq
    hub.leave([CALLS], _nobody)
    board.put(CALLS, item("a"))
    await hub.join([CALLS], _nobody)
    assert board.has_all(CALLS, start)
    assert (source.begun, source.ended) == (1, 0)
    hub.close()
    assert source.ended == 1


async def test_readers_are_woken_once_for_what_comes_together():
    board = Board()
    hub = Hub(board, {CALLS: Filled()})
    woken = []
    await hub.join([CALLS], lambda: woken.append(board.seq))
    for name in "abc":
        board.put(CALLS, item(name))
    await a_moment(lambda: woken)
    assert woken == [board.seq]
    hub.close()


async def test_a_source_that_cannot_begin_is_tried_by_the_next_reader():
    source = Filled()
    hub = Hub(Board(), {CALLS: source})
    source.refusal = Unavailable("the bus is away")
    with pytest.raises(Unavailable):
        await hub.join([CALLS], _nobody)
    hub.leave([CALLS], _nobody)
    source.refusal = None
    await hub.join([CALLS], _nobody)
    assert source.begun == 1
    hub.close()


# ------------------------------------------------------------------------------------------------ a view of the board


class Viewed:
    """A reader of a board, of everything or of what it may see."""

    def __init__(self, *topics, scope=None, within=None):
        self.board = Board()
        self.hub = Hub(self.board, {topic: Filled() for topic in RINGED})
        self._sight = Sight(caller=ROOT, scope=scope, within=dict.fromkeys(topics, within))
        self.feed = self._made(None)

    def _made(self, cursor):
        nobody = Undecided(None, self.hub)
        return BoardFeed(_nobody, sight=self._sight, hub=self.hub, undecided=nobody, cursor=cursor)

    async def back(self, **changes):
        """The same reader after a cut, with the cursor that it had, or another."""
        known = {"epoch": self.board.epoch, "topics": frozenset(self.feed.topics), "seq": self.feed.seq, "jobs": {}}
        await self.feed.close()
        self.feed = self._made(Cursor(**known | changes))
        await self.feed.begin()

    async def read(self):
        """What is told: keys, and topics that are reset."""
        found = []
        for text in await self.feed.read():
            data = json.loads(text.split(b"data: ")[1])
            found.append((data["topic"], data["reason"]) if b"event: reset" in text else data["data"]["key"])
        return found

    def put(self, topic, *keys, **fields):
        for key in keys:
            self.board.put(topic, Item(key=key, kind="told", data=b'{"key":"%b"}' % key.encode(), **fields))


@pytest.fixture
async def viewed():
    bed = Viewed(CALLS, JOBS)
    await bed.feed.begin()
    yield bed
    await bed.feed.close()
    bed.hub.close()


async def test_what_is_told_of_a_thing_twice_is_read_once_in_the_order_of_the_last(viewed):
    viewed.put(JOBS, "a", "b")
    viewed.put(CALLS, "c")
    viewed.put(JOBS, "a")
    assert await viewed.read() == ["b", "c", "a"]
    assert await viewed.read() == []


async def test_a_reader_that_is_too_slow_is_told_so_and_goes_on_with_what_comes_then(viewed):
    viewed.put(CALLS, *map(str, range(KEPT + 1)))
    viewed.put(JOBS, "a")
    assert await viewed.read() == [(CALLS, "missed"), "a"]
    viewed.put(CALLS, "b")
    assert await viewed.read() == ["b"]


async def test_much_is_read_page_by_page(viewed):
    viewed.put(CALLS, *map(str, range(PAGE + 1)))
    assert await viewed.read() == [str(number) for number in range(PAGE)]
    assert viewed.feed.ready
    assert await viewed.read() == [str(PAGE)]
    assert not viewed.feed.ready


async def test_a_reader_that_comes_back_reads_on_where_it_was(viewed):
    viewed.put(CALLS, "a")
    await viewed.read()
    viewed.put(CALLS, "b")
    await viewed.back()
    assert await viewed.read() == ["b"]


async def test_a_topic_that_the_cursor_does_not_know_begins_now(viewed):
    viewed.put(JOBS, "a")
    viewed.put(CALLS, "b")
    await viewed.back(topics=frozenset({CALLS}))
    assert await viewed.read() == ["b"]
    viewed.put(JOBS, "c")
    assert await viewed.read() == ["c"]


@pytest.mark.parametrize(
    ("changes", "why"), [({"epoch": "another_"}, "restarted"), ({"seq": 10**9}, "missed"), ({"seq": 0}, "missed")]
)
async def test_a_cursor_that_does_not_fit_the_board_resets_its_topics(viewed, changes, why):
    viewed.put(CALLS, "a")
    await viewed.back(**changes)
    assert sorted(await viewed.read()) == [(CALLS, why), (JOBS, why)]
    viewed.put(CALLS, "b")
    assert await viewed.read() == ["b"]


async def test_a_reader_sees_its_scope_and_what_is_said_of_all():
    bed = Viewed(CALLS, scope=SCOPE, within=Within(frozenset({("demo", "*"), ("other", "prod")})))
    await bed.feed.begin()
    bed.put(CALLS, "here", place=SCOPE)
    bed.put(CALLS, "there", place=("other", "prod"))
    bed.put(CALLS, "beside", place=("demo", "prod"))
    bed.put(CALLS, "everywhere", place=("*", "*"))
    bed.put(CALLS, "game", place=("demo", "*"))
    assert await bed.read() == ["here", "everywhere", "game"]
    await bed.feed.close()
    bed.hub.close()


async def test_a_reader_of_all_scopes_sees_those_that_he_may_see_and_what_is_his():
    bed = Viewed(CALLS, within=Within(frozenset({("demo", "dev")})))
    await bed.feed.begin()
    bed.put(CALLS, "here", place=SCOPE)
    bed.put(CALLS, "there", place=("other", "prod"))
    bed.put(CALLS, "mine", place=("other", "prod"), person=person_of(ROOT))
    bed.put(CALLS, "theirs", place=("other", "prod"), person="user:u2")
    assert await bed.read() == ["here", "mine"]
    await bed.feed.close()
    bed.hub.close()


# ------------------------------------------------------------------------------------------------ sights


def test_only_the_scope_whose_agents_changed_is_told():
    agents = Agents()
    sight = RegistrySight(agents)
    agents.put(Agent(agent_id="a", scope=SCOPE))
    agents.put(Agent(agent_id="b", scope=Scope("other", "prod")))
    assert {each.key for each in sight.look()} == {"demo|dev", "other|prod"}
    assert not list(sight.look())
    agents.put(Agent(agent_id="a", scope=SCOPE))
    assert [(each.key, each.place) for each in sight.look()] == [("demo|dev", SCOPE)]
    agents.drop("b")
    assert [each.key for each in sight.look()] == ["other|prod"]


def test_a_window_is_told_when_it_opens_by_the_clock_and_once_when_it_is_over():
    now = [1000]
    windows = Windows(lambda: now[0])
    sight = MaintenanceSight(windows)
    assert not list(sight.look())
    windows.use([Window(id="w", reason="x", starts_ms=2000, ends_ms=3000, created_by="ann", created_ms=0)])

    def states():
        return [json.loads(each.data)["state"] for each in sight.look()]

    assert states() == ["planned"]
    assert states() == []
    now[0] = 2000
    assert states() == ["open"]
    now[0] = 3000
    assert states() == ["over"]
    windows.use([])
    assert states() == []


# ------------------------------------------------------------------------------------------------ health


class Beating:
    def __init__(self):
        self.counted = Counted(buckets=(0, 0, 0, 0))
        self.agents = Agents()
        self.asked = 0
        self.pulse = Pulse(
            agents=self.agents,
            policy=Policy(),
            in_flight=lambda: 3,
            calls=lambda: self.counted,
            bounds=(0.01, 0.1, 1.0),
            version="1.2",
            build=self._build,
        )

    async def _build(self):
        self.asked += 1
        return "b7"

    async def told(self, caller=ROOT, scope=None):
        return json.loads(await self.pulse.document(caller, scope))


async def test_health_without_calls_says_that_there_were_none():
    told = await Beating().told()
    assert told == {
        "agents": {"online": 0, "known": 0},
        "calls_in_flight": 3,
        "calls": 0,
        "p95_ms": None,
        "error_share": 0.0,
        "version": "1.2",
        "build": "b7",
    }


async def test_the_slowest_twentieth_is_found_between_the_bounds_of_its_bucket():
    bed = Beating()
    bed.counted = Counted(buckets=(90, 10, 0, 0), failed=5)
    told = await bed.told()
    assert (told["calls"], told["p95_ms"], told["error_share"]) == (100, 55.0, 0.05)
    bed.counted = Counted(buckets=(0, 0, 0, 7))
    assert (await bed.told())["p95_ms"] == 1000.0


async def test_a_minute_later_the_calls_of_before_count_no_more():
    bed = Beating()
    bed.counted = Counted(buckets=(4, 0, 0, 0), failed=4)
    for _ in range(BEATS):
        await bed.pulse.beat()
    assert (await bed.told())["calls"] == 4
    await bed.pulse.beat()
    assert (await bed.told())["calls"] == 0


async def test_agents_of_games_that_one_has_nothing_to_do_with_are_not_counted():
    bed = Beating()
    bed.agents.put(Agent(agent_id="a", scope=SCOPE))
    bed.agents.put(Agent(agent_id="b", scope=Scope("other", "prod")))
    assert (await bed.told())["agents"]["known"] == 2
    assert (await bed.told(scope=SCOPE))["agents"]["known"] == 1
    assert (await bed.told(Principal(name="ann", user_id="u1")))["agents"]["known"] == 0


async def test_the_pages_build_is_asked_for_once_a_beat_and_never_while_nobody_looks():
    bed = Beating()
    await bed.pulse.beat()
    assert bed.asked == 0
    bed.pulse.join(_nobody)
    for _ in range(3):
        await bed.told()
    assert bed.asked == 1
    bed.pulse.leave(_nobody)
