"""The answer to somebody who signed in, by whichever way."""

from fastapi import Response

from croupier.server.access.browser import set_cookie
from croupier.server.access.login import SignedIn
from croupier.server.http.asking import json_answer
from croupier.server.http.exchange import Exchange
from croupier.server.http.people_documents import Known, user_entry


def signed_in_answer(exchange: Exchange, found: SignedIn) -> Response:
    """Who signed in, and the cookie that says so from now on."""
    session = found.session
    document = Known(
        name=found.account.name,
        kind="user",
        root=False,
        user=user_entry(found.account, session.created_ms),
        session_id=session.id,
        expires_ms=session.until_ms,
        proved_ms=session.proved_ms,
        csrf_token=found.csrf_token,
        permissions=None,
        scopes=None,
    )
    return with_header(json_answer(document), session_header(exchange, found))


def session_header(exchange: Exchange, found: SignedIn) -> tuple[bytes, bytes]:
    """The cookie."""
    seconds = (found.session.until_ms - found.session.created_ms) // 1000
    return set_cookie(exchange.headers, found.text, seconds)


def with_header(answer: Response, header: tuple[bytes, bytes]) -> Response:
    answer.raw_headers.append(header)
    return answer
