"""What tests run ends with them. That no process is left is for the guard over every test to say (tests/leftovers.py)."""

import asyncio

import pytest
from tests.programs import completed, end, running, start


async def test_a_program_whose_output_nobody_reads_is_ended():
    async with running("yes") as process:
        assert await process.stdout.readline() == b"y\n"
    assert process.returncode == -9


async def test_a_program_is_ended_although_a_child_of_its_own_holds_its_pipes():
    async with running("sh", "-c", "sleep 3 & echo begun; wait") as process:
        assert await process.stdout.readline() == b"begun\n"
    assert process.returncode == -9


async def test_a_program_is_ended_when_the_test_fails():
    with pytest.raises(ZeroDivisionError):
        async with running("sleep", "60"):
            raise ZeroDivisionError


@pytest.mark.parametrize("turns", range(4))
async def test_a_command_that_is_cancelled_leaves_no_process(turns):
    running = asyncio.ensure_future(completed("sleep", "60"))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_ending_a_program_again_changes_nothing():
    process = await start("sh", "-c", "exit 3")
    assert await process.wait() == 3
    assert [await end(process), await end(process)] == [3, 3]


async def test_a_command_reads_its_lines_and_says_what_it_said():
    assert await completed("sh", "-c", "cat; echo bad >&2; exit 4", lines="one\ntwo\n") == (4, "one\ntwo\n", "bad\n")
