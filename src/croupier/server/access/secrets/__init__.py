"""Secrets of games and of the platform: set by people, used by the server, shown to nobody.

    value ─ sealed by a data key of its own (AES-256-GCM) ─► store
                          │
                          └ wrapped by the key-encryption key: from a file, the environment or a command, else derived from the
                            deployment's key

What is sealed is bound to its name, place and version, so that nothing can be put in another's place. Whoever has the database
has no secret; whoever has the key alone has none either.
"""

from croupier.server.access.secrets.envelope import PURPOSE, Envelope
from croupier.server.access.secrets.own import OwnSecrets
from croupier.server.access.secrets.secrets import Secrets

__all__ = ["PURPOSE", "Envelope", "OwnSecrets", "Secrets"]
