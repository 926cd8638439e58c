"""More than a budget allows needs two people, and is counted once they agreed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.planes.approval_testbed import ANN, BOB, ROOT, Clock, Installation, installed

from croupier.domain.approval import ApprovalState
from croupier.domain.limit import MICRO, Budget, Limit, Per, Period, Then
from croupier.errors import PermissionDenied, Unavailable

COINS = Limit(
    id="coins",
    functions="kick",
    per=Per.USER,
    budget=Budget(path="$.coins", most=10_000 * MICRO, period=Period.DAY, then=Then.APPROVAL),
)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installed(tmp_path, Clock()) as found:
        await found.limits.put(ROOT, COINS)
        yield found


async def spent(place: Installation) -> list[int]:
    return [each.amount // MICRO for each in (await place.limits.get(ROOT, "coins")).spent if each.amount]


async def test_up_to_the_budget_one_person_is_enough_and_beyond_it_needs_two(place: Installation) -> None:
    place.execute()
    await place.calls.invoke(ANN, place.call("kick", {"coins": 9_000}))
    pending = await place.ask(place.call("kick", {"coins": 2_000}))
    assert "limit coins" in pending.demand.why[0]
    assert "1000 is left" in pending.demand.why[0]
    assert await spent(place) == [9_000]
    assert len(place.game.given) == 1
    with pytest.raises(PermissionDenied):
        await place.approvals.approve(ANN, pending.id)
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.EXECUTED)
    assert await spent(place) == [11_000]
    assert [call.id for call in place.game.given][1:] == [pending.call_id]


async def test_what_is_rejected_is_not_counted(place: Installation) -> None:
    pending = await place.ask(place.call("kick", {"coins": 20_000}))
    await place.approvals.reject(BOB, pending.id, comment="too much")
    assert await spent(place) == []
    await place.calls.invoke(ANN, place.call("kick", {"coins": 10_000}))


async def test_what_was_approved_and_did_not_run_is_given_back(place: Installation) -> None:
    place.execute()
    pending = await place.ask(place.call("kick", {"coins": 20_000}))
    place.game.error = Unavailable("the game server is full")
    await place.approvals.approve(BOB, pending.id)
    await place.reaches(pending, ApprovalState.FAILED)
    assert await spent(place) == []
