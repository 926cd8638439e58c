"""Accounts, sessions and API tokens over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from croupier.domain.account import Account, folded
from croupier.server.access.people import People
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.exchange import Exchange
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import (
    Ended,
    EndedSession,
    EndedToken,
    NewPasswordBody,
    NewToken,
    SessionList,
    TokenBody,
    TokenList,
    UserBody,
    UserChange,
    UserEntry,
    UserInvited,
    UserList,
    session_entry,
    takes,
    token_entry,
    user_entry,
)
from croupier.server.http.requests import parse_body, parse_lifetime

_user = msgspec.json.Decoder(UserBody)
_change = msgspec.json.Decoder(UserChange)
_new_password = msgspec.json.Decoder(NewPasswordBody)
_token = msgspec.json.Decoder(TokenBody)

Text = Annotated[str, Query(max_length=256)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def user_routes(people: People, public_url: str) -> APIRouter:
    """`public_url` is the address under which people open this server; empty where nobody said."""
    routes = APIRouter(tags=["users"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/users", response_model=UserList)
    async def list_users(
        asking: Asking, search: Text = "", name: Text = "", after: Text = "", limit: Limit = 100
    ) -> Response:
        """Accounts whose name or display name holds `search`, or the one that is called `name`; the oldest first."""
        if name:
            found = await people.named(asking.caller, name)
            accounts: Sequence[Account] = [] if found is None else [found]
        else:
            accounts = _after(await people.accounts(asking.caller), after)
        wanted = folded(search)
        fitting = [each for each in accounts if wanted in each.folded or wanted in folded(each.display_name)]
        more = fitting[limit - 1].id if len(fitting) > limit else ""
        return json_answer(UserList(users=[user_entry(each, people.clock()) for each in fitting[:limit]], next=more))

    @routes.post("/api/users", response_model=UserInvited, openapi_extra=dict(takes(UserBody)))
    async def add_user(asking: Asking, request: Request) -> Response:
        """A new account, with a password or with an invitation to set one."""
        body = parse_body(_user, await request.body())
        account = await people.add(
            asking.caller,
            body.name,
            password=body.password,
            display_name=body.display_name,
            email=body.email,
            groups=frozenset(body.groups),
        )
        return json_answer(await _invited(people, public_url, asking, account, invite=not body.password))

    @routes.get("/api/users/{user_id}", response_model=UserEntry)
    async def read_user(asking: Asking, user_id: str) -> Response:
        """One account."""
        return json_answer(user_entry(await people.account(asking.caller, user_id), people.clock()))

    @routes.patch("/api/users/{user_id}", response_model=UserEntry, openapi_extra=dict(takes(UserChange)))
    async def change_user(asking: Asking, user_id: str, request: Request) -> Response:
        """Change what the body names."""
        body = parse_body(_change, await request.body())
        fields: dict[str, Any] = {
            name: value
            for name in ("display_name", "email", "groups")
            if (value := getattr(body, name)) is not msgspec.UNSET
        }
        return json_answer(user_entry(await people.change(asking.caller, user_id, **fields), people.clock()))

    return routes


def user_verb_routes(people: People, public_url: str) -> APIRouter:
    """`public_url` as in `user_routes`."""
    routes = APIRouter(tags=["users"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post("/api/users/{user_id}/disable", response_model=UserEntry)
    async def disable_user(asking: Asking, user_id: str) -> Response:
        """Nobody gets in by this account any more, at once; it can be enabled again."""
        return json_answer(user_entry(await people.disable(asking.caller, user_id), people.clock()))

    @routes.post("/api/users/{user_id}/enable", response_model=UserEntry)
    async def enable_user(asking: Asking, user_id: str) -> Response:
        """Undo `disable`."""
        return json_answer(user_entry(await people.enable(asking.caller, user_id), people.clock()))

    @routes.post(
        "/api/users/{user_id}/password", response_model=UserInvited, openapi_extra=dict(takes(NewPasswordBody))
    )
    async def reset_password(asking: Asking, user_id: str, request: Request) -> Response:
        """Set a password and end the account's sessions; or, without one, invite its owner to set one."""
        body = parse_body(_new_password, await request.body() or b"{}")
        if body.password:
            account = await people.set_password(asking.caller, user_id, body.password)
        else:
            account = await people.account(asking.caller, user_id)
        return json_answer(await _invited(people, public_url, asking, account, invite=not body.password))

    @routes.post("/api/users/{user_id}/revoke", response_model=Ended)
    async def revoke_user(asking: Asking, user_id: str) -> Response:
        """End every session and every token of the account, at once."""
        found = await people.revoke(asking.caller, user_id)
        return json_answer(Ended(sessions=found.sessions, tokens=found.tokens))

    return routes


def credential_routes(people: People) -> APIRouter:
    routes = APIRouter(responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/sessions", response_model=SessionList, tags=["sessions"])
    async def list_sessions(asking: Asking, user_id: Text = "") -> Response:
        """One's own sessions, or those of `user_id` (`*`: everybody's); the newest first."""
        found = await people.sessions(asking.caller, user_id)
        sessions = [session_entry(each, seen, people.owner(each.user_id), asking.caller) for each, seen in found]
        return json_answer(SessionList(sessions=sessions))

    @routes.delete("/api/sessions/{session_id}", response_model=EndedSession, tags=["sessions"])
    async def end_session(asking: Asking, session_id: str) -> Response:
        """End a session, and what is followed in it."""
        await people.end_session(asking.caller, session_id)
        return json_answer(EndedSession(session_id=session_id))

    @routes.get("/api/tokens", response_model=TokenList, tags=["tokens"])
    async def list_tokens(asking: Asking, user_id: Text = "") -> Response:
        """One's own API tokens, or those of `user_id` (`*`: everybody's); the newest first. No secrets."""
        found = await people.tokens(asking.caller, user_id)
        tokens = [token_entry(each, seen, people.owner(each.user_id)) for each, seen in found]
        return json_answer(TokenList(tokens=tokens))

    @routes.post("/api/tokens", response_model=NewToken, tags=["tokens"], openapi_extra=dict(takes(TokenBody)))
    async def create_token(asking: Asking, request: Request) -> Response:
        """A new API token. Its text is in this answer and nowhere else."""
        body = parse_body(_token, await request.body())
        token, text = await people.create_token(
            asking.caller,
            body.user_id,
            name=body.name,
            seconds=parse_lifetime(body.expires_in),
            permissions=_limit(body.permissions),
            scopes=_limit(body.scopes),
        )
        return json_answer(NewToken(token=text, entry=token_entry(token, 0, people.owner(token.user_id))))

    @routes.delete("/api/tokens/{token_id}", response_model=EndedToken, tags=["tokens"])
    async def end_token(asking: Asking, token_id: str) -> Response:
        """Revoke a token, and what is followed by it."""
        await people.end_token(asking.caller, token_id)
        return json_answer(EndedToken(token_id=token_id))

    return routes


def _after(accounts: Sequence[Account], user_id: str) -> Sequence[Account]:
    """Those after that one; all of them where it is not named, none where it is not known."""
    if not user_id:
        return accounts
    found = next((number for number, each in enumerate(accounts) if each.id == user_id), len(accounts))
    return accounts[found + 1 :]


def _limit(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


async def _invited(people: People, public_url: str, asking: Exchange, account: Account, *, invite: bool) -> UserInvited:
    invitation, until_ms = await people.invite(asking.caller, account.id) if invite else (None, 0)
    now = people.owner(account.id) or account
    return UserInvited(
        user=user_entry(now, people.clock()),
        invitation=invitation,
        link=f"{public_url}/invitation#{invitation}" if invitation and public_url else None,
        invited_until_ms=until_ms,
    )
