"""One call, three records of it: what each says about how it ended, they say alike."""

import pytest

from croupier.domain.bulk import BulkRow, RowState, ended
from croupier.domain.call import CallState, may_have_run, state_after
from croupier.errors import BY_REASON, Conflict, CroupierError

OPEN = {"outcome_unknown", "deadline_exceeded", "canceled", "internal", "payload_too_large"}
NOW = 1_000


def failures() -> list[CroupierError]:
    return [kind("why") for kind in BY_REASON.values()]


@pytest.mark.parametrize("error", failures(), ids=lambda error: error.reason)
def test_a_call_its_row_and_its_approval_agree_on_whether_it_may_have_run(error: CroupierError) -> None:
    is_open = error.reason in OPEN
    assert may_have_run(error) is is_open
    wanted = CallState.OUTCOME_UNKNOWN if is_open else CallState.FAILED
    assert state_after(error) is (CallState.CANCELED if error.reason == "canceled" else wanted)
    if not isinstance(error, Conflict):  # a row's first call may still run, which says nothing of this one
        row = ended(BulkRow(row=1, line=2), error, NOW)
        assert row.state is (RowState.UNKNOWN if is_open else RowState.FAILED)


@pytest.mark.parametrize("error", failures(), ids=lambda error: error.reason)
def test_what_was_given_to_nobody_has_failed_whatever_the_reason(error: CroupierError) -> None:
    error.unsent = True
    assert not may_have_run(error)
    assert state_after(error) in {CallState.FAILED, CallState.CANCELED}
