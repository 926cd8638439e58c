from collections.abc import Callable, Sequence

from croupier.domain.approval import Approval
from croupier.domain.demand import named
from croupier.domain.identifiers import new_id
from croupier.domain.notice import Event, Notice
from croupier.settings import WebhookSettings

_SHOWN = 300
"""Characters of a reason or a message that go into a notice."""


class Outbox:
    """Draws up what every webhook is to be told; `clock` gives milliseconds since 1970."""

    def __init__(self, webhooks: Sequence[WebhookSettings], clock: Callable[[], int]) -> None:
        self._names = [webhook.name for webhook in webhooks]
        self._clock = clock

    def about(self, approval: Approval, event: Event) -> list[Notice]:
        """One for each webhook; none where there are none."""
        if not self._names:
            return []
        words, now = told(approval, event), self._clock()
        return [
            Notice(
                id=new_id("n"),
                approval_id=approval.id,
                webhook=name,
                event=event,
                text=words,
                next_ms=now,
                created_ms=now,
            )
            for name in self._names
        ]


def told(approval: Approval, event: Event) -> str:
    """What happened, in one line."""
    what = f"{approval.function_id} in {approval.scope}"
    who = approval.requester.name
    match event:
        case Event.REQUESTED:
            waits = ", then ".join(named(stage) for stage in approval.demand.stages)
            return _line(f"{who} asks to run {what}; it waits for {waits}", approval)
        case Event.BREAK_GLASS:
            return _line(f"{who} runs {what} without asking (break-glass); somebody else has to review it", approval)
        case Event.APPROVED:
            return f"{what}, which {who} asked for, was approved by {', '.join(vote.name for vote in approval.votes)}"
        case Event.ENDED:
            return _cut(f"{what}, which {who} asked for: {approval.state.value}", approval.message)
        case Event.REVIEWED:
            return f"{approval.reviewed_by} reviewed {what}, which {who} ran without asking"
        case _:
            return _cut(f"{what}, which {who} asked for, is {event.value}", approval.message)


def _line(text: str, approval: Approval) -> str:
    said = " ".join(part for part in (approval.ticket, approval.reason) if part)
    return _cut(text, said)


def _cut(text: str, more: str) -> str:
    more = " ".join(more.split())
    return f"{text}: {more[:_SHOWN]}{'…' if len(more) > _SHOWN else ''}" if more else text
