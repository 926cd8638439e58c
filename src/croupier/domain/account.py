"""People: their accounts, and the rules of names."""

import unicodedata
from dataclasses import dataclass, field

from croupier.codes import Code
from croupier.errors import InvalidArgument

NAME_CHARACTERS = 64
GROUP_CHARACTERS = 128
GROUPS = 256
TEXT_CHARACTERS = 256

_MARKS = frozenset("._-@+")
"""What a name may have besides letters, marks and digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person, or a program that acts under a name of its own. Accounts are disabled, never deleted: records name them."""

    id: str
    name: str
    """What it signs in with, as it was written; no two are the same when folded."""
    display_name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    disabled: bool = False
    password_hash: str = field(default="", repr=False)
    """argon2id; empty where no password can sign in."""
    invite_sha256: bytes = field(default=b"", repr=False)
    """Of the secret with which its owner may set a password, once."""
    invite_until_ms: int = 0
    created_by: str = ""
    created_ms: int
    changed_ms: int

    @property
    def folded(self) -> str:
        return folded(self.name)

    def invited(self, now_ms: int) -> bool:
        return bool(self.invite_sha256) and now_ms < self.invite_until_ms


def folded(name: str) -> str:
    """What two spellings of one name have in common (Unicode's NFKC and case folding)."""
    if name.isascii():  # which is as it is, and ten times faster
        return name.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def checked_name(text: str) -> str:
    """`text` as the name of an account. Raises InvalidArgument."""
    # Bounded before it is normalized: some characters become eighteen.
    name = unicodedata.normalize("NFKC", text[: NAME_CHARACTERS + 1])
    if not 1 <= len(name) <= NAME_CHARACTERS or len(text) > NAME_CHARACTERS or not all(map(_in_name, name)):
        raise InvalidArgument(
            f"a name has 1 to {NAME_CHARACTERS} letters, digits and . _ - @ +, without spaces, such as ann or ann@example.org",
            {"field": "account"},
            code=Code.NAME_WRONG,
        )
    return name


def checked_text(text: str, what: str, *, field: str = "text") -> str:
    """`text` of `field` as one line that people read. Raises InvalidArgument, saying `what` it should have been."""
    found = unicodedata.normalize("NFC", text[: TEXT_CHARACTERS + 1]).strip()
    if len(text) > TEXT_CHARACTERS or not all(map(_readable, found)):
        raise InvalidArgument(
            f"{what} has at most {TEXT_CHARACTERS} characters, none of which controls others",
            {"field": field, "most": str(TEXT_CHARACTERS)},
            code=Code.FIELD_TOO_LONG,
        )
    return found


def checked_groups(names: frozenset[str]) -> frozenset[str]:
    """Raises InvalidArgument."""
    if len(names) > GROUPS:
        raise InvalidArgument(
            f"an account is in at most {GROUPS} groups",
            {"field": "groups", "most": str(GROUPS)},
            code=Code.TOO_MANY,
        )
    for name in names:
        if not 1 <= len(name) <= GROUP_CHARACTERS or name != name.strip() or not all(map(_readable, name)):
            raise InvalidArgument(
                f"a group's name has 1 to {GROUP_CHARACTERS} characters, none of which controls others",
                {"field": "group"},
                code=Code.NAME_WRONG,
            )
    return names


def _in_name(character: str) -> bool:
    return character in _MARKS or unicodedata.category(character)[0] in "LMN"


def _readable(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] in "LMNPS"
