"""What can be looked at."""

import re
from typing import Final

from croupier.errors import InvalidArgument

MOST_TOPICS = 64

CALLS: Final = "calls"
JOBS: Final = "jobs"
BULK: Final = "bulk"
APPROVALS: Final = "approvals"
REGISTRY: Final = "registry"
CATALOG: Final = "catalog"
MAINTENANCE: Final = "maintenance"
HEALTH: Final = "health"

RINGED: Final = (JOBS, CALLS, BULK, APPROVALS, REGISTRY, CATALOG, MAINTENANCE)
"""Those of which nothing is stored: what was told lately is in memory. Their places here are bits of a cursor."""

JOB, ONE_BULK = "job:", "bulk:"
"""What the topic of one thing begins with; its id follows."""

_ONE = re.compile(r"(?:job|bulk):[A-Za-z0-9._-]{1,100}")


def read_topics(text: str) -> tuple[str, ...]:
    """The topics of a list with commas, each once. Raises InvalidArgument."""
    topics = tuple(dict.fromkeys(text.split(",")))
    if len(topics) > MOST_TOPICS:
        raise InvalidArgument(f"{len(topics)} topics: one stream takes at most {MOST_TOPICS}")
    for topic in topics:
        if topic not in RINGED and topic != HEALTH and not _ONE.fullmatch(topic):
            known = ", ".join((*RINGED, HEALTH, f"{JOB}<id>", f"{ONE_BULK}<id>"))
            raise InvalidArgument(f"unknown topic {topic[:100]!r}: topics are {known}")
    return topics
