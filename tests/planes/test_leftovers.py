"""The guard over every test: who leaves something behind fails, and nobody else."""

import sys

import pytest
from tests.leftovers import Leftovers

SLEEPS = f"[{sys.executable!r}, '-c', 'import time; time.sleep(60)']"


@pytest.fixture
def outcomes(pytester, monkeypatch):
    """Which of these tests fail, and what is said of them."""
    monkeypatch.setattr("tests.leftovers.SETTLING", 0.05)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # each run would import them all anew
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function")

    def ran(source):
        head = "import asyncio, subprocess\nimport pytest, pytest_asyncio\n"
        pytester.makepyfile(f"{head}SLEEPS = {SLEEPS}\n{source}\nasync def test_innocent(): await asyncio.sleep(0)")
        result = pytester.runpytest_inprocess(
            "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", plugins=[Leftovers()]
        )
        lines = result.outlines
        return {line.split("::")[1].split()[0] for line in lines if line.startswith("ERROR ")}, result.stdout.str()

    return ran


def test_a_task_that_goes_on_is_told_with_the_test_that_left_it(outcomes):
    failed, said = outcomes("""
async def for_ever(): await asyncio.Event().wait()
async def test_leaves(): globals()['kept'] = asyncio.create_task(for_ever())
""")
    assert (failed, "coro=<for_ever()" in said) == ({"test_leaves"}, True)


def test_a_task_that_is_about_to_end_may(outcomes):
    failed, _ = outcomes("""
async def test_ends(): globals()['kept'] = asyncio.create_task(asyncio.sleep(0))
""")
    assert failed == set()


def test_a_process_that_asyncio_runs_is_ended_and_told(outcomes):
    failed, said = outcomes("""
async def test_leaves(): globals()['kept'] = await asyncio.create_subprocess_exec(*SLEEPS, stdout=asyncio.subprocess.PIPE)
def test_is_dead(): assert kept._transport.get_returncode() == -9
""")
    assert (failed, "running stdout=" in said) == ({"test_leaves"}, True)


def test_a_pipe_that_stays_open_when_its_process_has_ended_is_told(outcomes):
    failed, said = outcomes("""
async def test_leaves():
    globals()['kept'] = child = await asyncio.create_subprocess_exec('sh', '-c', 'sleep 60 &', stdout=asyncio.subprocess.PIPE)
    while child.returncode is None:
        await asyncio.sleep(0.01)
""")
    assert (failed, "returncode=0" in said) == ({"test_leaves"}, True)


def test_a_process_without_a_loop_is_told(outcomes):
    failed, said = outcomes("""
def test_leaves(): globals()['kept'] = subprocess.Popen(SLEEPS)
def test_ends():
    kept.kill()
    kept.wait()
""")
    assert (failed, "the process " in said) == ({"test_leaves"}, True)


@pytest.mark.parametrize("ends", [True, False])
def test_what_a_shared_fixture_runs_is_left_to_it_until_it_is_over(outcomes, ends):
    failed, _ = outcomes(f"""
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared():
    child = await asyncio.create_subprocess_exec(*SLEEPS)
    yield
    if {ends}:
        child.kill()
        await child.wait()
def test_first(shared): pass
def test_second(shared): pass
""")
    assert failed == (set() if ends else {"test_innocent"}), "the last of the module is where its fixtures end"
