import asyncio

import pytest
from tests.unit.agent_parts import ScriptedGameServer

from croupier.agent.jobs import Jobs
from croupier.agent.local_jobs import ACK_EVERY, STORIES, STORY_BYTES, STORY_EVENTS, LocalJobs
from croupier.domain.job import JobEvent
from croupier.errors import NotFound, RateLimited


def event(seq, kind="progress", job_id="j1", **values):
    return JobEvent(job_id=job_id, seq=seq, type=kind, **values)


class Bed:
    def __init__(self):
        self.server = ScriptedGameServer()
        self.jobs = Jobs()
        self.stories = LocalJobs(self.jobs)

    def begin(self, job_id="j1"):
        self.stories.open(job_id)
        self.jobs.place(job_id, "f", self.server, self.stories)

    def tell(self, *events):
        for each in events:
            self.jobs.arrived(self.server, each)

    async def read(self, after=0, job_id="j1"):
        return [each.seq async for each in self.stories.follow(job_id, after)]


@pytest.fixture
async def bed():
    return Bed()


async def test_several_followers_see_everything_and_a_late_one_too(bed):
    bed.begin()
    early = [asyncio.create_task(bed.read()) for _ in range(2)]
    bed.tell(event(1), event(2))
    await asyncio.sleep(0)
    bed.tell(event(3, "done"))
    assert await asyncio.gather(*early) == [[1, 2, 3], [1, 2, 3]]
    assert await bed.read() == [1, 2, 3]


async def test_a_follower_begins_after_the_event_it_names(bed):
    bed.begin()
    bed.tell(event(1), event(2), event(3, "done"))
    assert await bed.read(after=2) == [3]
    assert await bed.read(after=99) == []


async def test_an_unknown_job_is_said(bed):
    with pytest.raises(NotFound, match="unknown job j9"):
        await bed.read(job_id="j9")


async def test_the_agent_itself_acknowledges_within_the_window_and_at_the_end(bed):
    bed.begin()
    bed.tell(*(event(seq) for seq in range(1, ACK_EVERY + 2)))
    assert bed.server.acknowledged == [("j1", ACK_EVERY, False)]
    bed.tell(event(ACK_EVERY + 2, "done"))
    assert bed.server.acknowledged[-1] == ("j1", ACK_EVERY + 2, False)
    assert len(bed.jobs) == 0


async def test_a_story_beyond_its_bounds_ends_its_job_and_says_why(bed):
    bed.begin()
    bed.tell(*(event(seq) for seq in range(1, STORY_EVENTS + 1)))
    story = bed.stories.story("j1")
    assert story.state == "failed"
    assert len(story.events) == STORY_EVENTS + 1
    assert "more than 10000 events" in story.events[-1].message
    assert ("j1", STORY_EVENTS, True) in bed.server.acknowledged


async def test_a_story_of_too_many_bytes_ends_too(bed):
    bed.begin()
    bed.tell(event(1, payload=b"x" * (STORY_BYTES // 2)), event(2, payload=b"x" * (STORY_BYTES // 2)))
    assert bed.stories.story("j1").end.reason == "failed_precondition"


async def test_too_many_running_jobs_are_refused_and_ended_ones_make_room(bed):
    for number in range(STORIES):
        bed.begin(f"j{number}")
    with pytest.raises(RateLimited, match="too many jobs of local callers"):
        bed.stories.open("late")
    bed.tell(event(1, "done", job_id="j7"))
    bed.stories.open("late")
    with pytest.raises(NotFound):
        bed.stories.story("j7")


async def test_a_job_whose_caller_left_before_it_started_is_stopped(bed):
    bed.begin()
    bed.stories.discard("j1")
    bed.tell(event(1))
    assert bed.server.acknowledged[-1] == ("j1", 1, True)
