"""What a page is told while it happens: one stream for each browser, of all the topics that it looks at.

    bus ──► Ears ──► sources ──► Board: rings of what was told lately ──► BoardFeed ─┐
    agents, catalog, windows: looked at ──► Board                                    │
    bus "job.<id>" ──► Ears ──► JobFeed, which reads on in memory or in the store ───┼─► Reader ──► http/events.py
    bus "bulk.<id>" ──► Ears ──► BulkFeed, which reads how it stands ────────────────┤   (its cursor)
    Pulse, every five seconds ──► HealthFeed ────────────────────────────────────────┘

Nothing is kept for a reader but numbers: how far it came in each job, and in the rings. It reads when it has sent what it had,
in its turn among all readers, so one that is slow costs nothing; what fell out of a ring meanwhile it is told to ask for again.
"""

from croupier.server.live.cursor import CURSOR_CHARACTERS
from croupier.server.live.live import Live
from croupier.server.live.pulse import Counted, Pulse
from croupier.server.live.reader import Reader
from croupier.server.live.topics import MOST_TOPICS, read_topics

__all__ = [
    "CURSOR_CHARACTERS",
    "MOST_TOPICS",
    "Counted",
    "Live",
    "Pulse",
    "Reader",
    "read_topics",
]
