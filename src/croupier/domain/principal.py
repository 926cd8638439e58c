from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who asks. `name` goes into the record of the call."""

    name: str
    kind: str = "token"
    """user | token | machine | edge | system"""
    user_id: str = ""
    """The account behind it, also where it came by a token; empty for machines and for the token of the settings."""
    groups: frozenset[str] = frozenset()
    """Of the account; bindings may name them."""
    credential: str = ""
    """The session or token that was shown: whoever revokes it ends what hangs on it."""
    root: bool = False
    """May do everything: the bearer of the token of the settings, as in `croupier dev`. Nobody else is born with it."""
    permissions: frozenset[str] | None = None
    """An API token may do no more than these, whatever its account may; None sets no limit."""
    scopes: frozenset[str] | None = None
    """And in these only, as `game|env` with `*` for any; None sets no limit."""
    proved_ms: int = 0
    """When a second factor was last proved by this credential, in milliseconds since 1970; 0 is never."""
    acting_as: str = ""
    """The role as which its bearer looks at things for once, with its permissions and no others; nothing can be changed so."""
    address: str = field(default="", compare=False)
    """Where this request of theirs came from, for the record; nobody is somebody else for coming from elsewhere."""
