"""Entity tags (RFC 9110, sections 8.8.3 and 13.1): what is unchanged is not sent again, nor changed over another's change."""

from collections.abc import Callable

from fastapi import Request, Response

_REVALIDATED = "no-cache"


def answer_with_tag(request: Request, tag: str, answer: Callable[[], Response]) -> Response:
    """What `answer` makes, with its tag; 304 and nothing where the request names the tag already."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": _REVALIDATED}
    if request.method in {"GET", "HEAD"} and _names(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    made = answer()
    made.headers.update(headers)
    return made


def expected_tag(request: Request) -> str:
    """The tag that what is to be changed must have, by `If-Match`; nothing where any will do."""
    value = request.headers.get("if-match", "").strip()
    return "" if value == "*" else value.removeprefix("W/").strip('"')


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or any(
        each.strip().removeprefix("W/").strip('"') == tag for each in header.split(",") if each.strip()
    )
