"""Installed packs: what an operator sent, kept until another takes its place.

    archive ─► read (thread) ─► Trust ─► Plan: what would change, what is in the way
                                           │ nothing is
                                           ▼
               objects/packs/<digest>.tgz ─► one transaction of the store ─► memory ─► the catalog

The archive is on the disk before the transaction that names it, so a kill at any moment leaves the old packs or the new
ones, whole; an archive that nobody names is deleted at the next start.
"""

from croupier.server.packs.packs import Packs, StaleTag
from croupier.server.packs.plan import Outcome, Plan, Step
from croupier.server.packs.shelf import Held
from croupier.server.packs.trust import Trust

__all__ = ["Held", "Outcome", "Packs", "Plan", "StaleTag", "Step", "Trust"]
