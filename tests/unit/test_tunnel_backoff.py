import pytest

from croupier.tunnel.backoff import Backoff, Redial


@pytest.mark.parametrize(("failures", "pause"), [(0, 0.1), (1, 0.2), (5, 3.2), (9, 30.0), (10_000, 30.0)])
def test_pauses_double_up_to_the_longest_and_are_spread_by_a_fifth(failures: int, pause: float) -> None:
    drawn = [Backoff().pause(failures) for _ in range(200)]
    assert 0.8 * pause <= min(drawn) < max(drawn) <= 1.2 * pause


def test_a_shorter_limit_holds_and_a_longer_one_lengthens_nothing() -> None:
    assert max(Backoff().pause(20, 1.0) for _ in range(200)) <= 1.2
    assert max(Backoff(most=2.0).pause(20, 60.0) for _ in range(200)) <= 2.4


def redial(servers: int = 1) -> Redial:
    return Redial(servers, Backoff(most=12.0), hurry=1.0, resumable=10.0)


def roughly(pause: float) -> object:
    return pytest.approx(pause, rel=0.2)


def test_while_a_session_can_be_resumed_its_server_is_dialled_every_second_and_then_ever_more_seldom() -> None:
    tries, now = redial(), 100.0
    pauses = [tries.pause(now, lived=60.0)]
    while now + pauses[-1] < 110.0:
        now += pauses[-1]
        pauses.append(tries.pause(now, lived=None))
    assert pauses[:4] == [roughly(0.1), roughly(0.2), roughly(0.4), roughly(0.8)]
    assert pauses[4:] == [roughly(1.0)] * len(pauses[4:])
    later = [tries.pause(110.0, lived=None) for _ in range(6)]
    assert later == [roughly(1.6), roughly(3.2), roughly(6.4), roughly(12.0), roughly(12.0), roughly(12.0)]


def test_each_server_of_a_list_is_tried_before_a_longer_pause() -> None:
    tries = redial(3)
    pauses = [tries.pause(50.0, lived=None) for _ in range(13)]
    assert pauses[0::3] == [roughly(0.1), roughly(0.2), roughly(0.4), roughly(0.8), roughly(1.6)]
    assert pauses[1::3] + pauses[2::3] == [roughly(0.1)] * 8


def test_a_stream_that_lived_begins_anew_and_one_that_was_ended_at_once_does_not() -> None:
    tries = redial()
    for _ in range(6):
        tries.pause(50.0, lived=None)
    assert tries.pause(50.0, lived=0.1) == roughly(1.0)
    assert tries.pause(70.0, lived=0.1) == roughly(1.0)
    assert tries.pause(90.0, lived=5.0) == roughly(0.1)
