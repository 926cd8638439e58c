import pytest

from croupier.tunnel.backoff import Backoff


@pytest.mark.parametrize(("failures", "pause"), [(0, 0.1), (1, 0.2), (5, 3.2), (9, 30.0), (10_000, 30.0)])
def test_pauses_double_up_to_the_longest_and_are_spread_by_a_fifth(failures: int, pause: float) -> None:
    drawn = [Backoff().pause(failures) for _ in range(200)]
    assert 0.8 * pause <= min(drawn) < max(drawn) <= 1.2 * pause


def test_a_shorter_limit_holds_and_a_longer_one_lengthens_nothing() -> None:
    assert max(Backoff().pause(20, 1.0) for _ in range(200)) <= 1.2
    assert max(Backoff(most=2.0).pause(20, 60.0) for _ in range(200)) <= 2.4
