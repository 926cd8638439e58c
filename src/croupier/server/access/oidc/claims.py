"""Who an ID token is about, in our words."""

from collections.abc import Mapping, Sequence
from typing import Any

from croupier.domain.account import GROUPS, checked_groups, checked_name, checked_text
from croupier.domain.identity import Identity
from croupier.errors import InvalidArgument, PermissionDenied, Unauthenticated

SUBJECT_CHARACTERS = 255
_CLAIMED_GROUPS = 10_000


def read_identity(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    groups_claim: str,
    groups: Mapping[str, Sequence[str]],
    domains: Sequence[str],
) -> Identity:
    """`groups` says what the provider's groups are called here; where it is empty they keep their names.

    Raises PermissionDenied for somebody of another domain, Unauthenticated without a subject that tells people apart.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_CHARACTERS or not subject.isprintable():
        raise Unauthenticated("the identity provider does not say who this is: its claim `sub` is none")
    email = _verified_email(claims)
    if domains and email.rpartition("@")[2].lower() not in {domain.lower() for domain in domains}:
        raise PermissionDenied(
            "people of this address may not log in here: the provider must say a verified one that may"
        )
    return Identity(
        issuer=issuer,
        subject=subject,
        name=_wished_name(claims, email),
        display_name=_line(claims.get("name")),
        email=email,
        groups=_mapped(_claimed(claims, groups_claim), groups),
    )


def _verified_email(claims: Mapping[str, Any]) -> str:
    email, verified = claims.get("email"), claims.get("email_verified")
    if (verified is True or verified == "true") and isinstance(email, str) and email.count("@") == 1:
        return _line(email)
    return ""


def _wished_name(claims: Mapping[str, Any], email: str) -> str:
    for wish in (claims.get("preferred_username"), email.partition("@")[0], claims.get("nickname")):
        try:
            if isinstance(wish, str) and wish:
                return checked_name(wish)
        except InvalidArgument:
            continue
    return ""


def _line(value: object) -> str:
    try:
        return checked_text(value, "a text") if isinstance(value, str) else ""
    except InvalidArgument:
        return ""


def _claimed(claims: Mapping[str, Any], name: str) -> set[str]:
    """The values of the claim, which may lie deeper: `realm_access.roles`."""
    found: object = claims.get(name)
    if found is None and "." in name:
        found = claims
        for step in name.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, str):
        return {found}
    return {each for each in found[:_CLAIMED_GROUPS] if isinstance(each, str)} if isinstance(found, list) else set()


def _mapped(claimed: set[str], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Raises PermissionDenied for more than an account can be in: to leave some out would be a guess."""
    wanted = {here for there in claimed for here in groups.get(there, ())} if groups else set(filter(_usable, claimed))
    if len(wanted) > GROUPS:
        raise PermissionDenied(
            f"the identity provider names more than {GROUPS} groups: have an administrator say in `groups` which of them count"
        )
    return frozenset(wanted)


def _usable(name: str) -> bool:
    try:
        return bool(checked_groups(frozenset({name})))
    except InvalidArgument:
        return False
