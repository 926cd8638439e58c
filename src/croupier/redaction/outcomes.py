"""What game servers send back, without secrets of the platform."""

from collections.abc import Sequence
from dataclasses import replace

from croupier.domain.call import Outcome, Result
from croupier.domain.job import JobEvent
from croupier.redaction.redactor import Redactor

TAIL = 512
"""Characters of a job's last line that are remembered: a secret may begin there and end in the next."""


def redacted_outcome(redactor: Redactor, outcome: Outcome) -> Outcome:
    """The outcome of a call; an error is changed itself, as it may be of any kind."""
    if isinstance(outcome, Result):
        payload = redactor.payload(outcome.payload)
        return outcome if payload is outcome.payload else replace(outcome, payload=payload)
    message = redactor.text(outcome.message)
    if message is not outcome.message:
        outcome.message = message
        outcome.args = (message,)
    if outcome.details:
        outcome.details = {redactor.text(name): redactor.text(text) for name, text in outcome.details.items()}
    return outcome


def redacted_events(redactor: Redactor, events: Sequence[JobEvent], tail: str) -> tuple[list[JobEvent], str]:
    """Events of one job that follow one another, and what is to be the `tail` of those that come next."""
    lines = [event.message for event in events]
    shown = redactor.texts([tail, *lines])[1:]
    found = [
        event
        if message == event.message and not event.payload
        else replace(event, message=message, payload=redactor.payload(event.payload))
        for event, message in zip(events, shown, strict=True)
    ]
    return found, (tail + "".join(lines))[-TAIL:]
