"""What `POST /api/jobs/cancel` takes. Unknown fields are refused: a misspelt condition must not stop more than was meant."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from croupier.domain.job import JobState
from croupier.domain.limits import KEY_BYTES

MOST = 500
"""Jobs of one request."""

_Text = Annotated[str, Meta(max_length=KEY_BYTES)]


class JobChoice(Struct, kw_only=True, forbid_unknown_fields=True):
    """Jobs that fit everything named here; a scope may also be named by the headers."""

    game_id: _Text = ""
    env: _Text = ""
    function_id: _Text = ""
    state: Annotated[list[JobState], Meta(max_length=len(JobState))] = []
    caller: _Text = ""
    agent_id: _Text = ""
    since: _Text = ""
    until: _Text = ""


class CancelJobsBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/api/jobs/cancel`: `job_ids` or `filter`."""

    job_ids: Annotated[list[_Text], Meta(max_length=MOST)] = []
    filter: JobChoice | None = None
    reason: str = ""
    dry_run: bool = False
    """Only say which jobs it would be."""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST


cancel_jobs_decoder = msgspec.json.Decoder(CancelJobsBody)
