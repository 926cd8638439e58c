"""Entity tags (RFC 9110, sections 8.8.3 and 13.1): what is unchanged is not sent again, nor changed over another's change."""

from collections.abc import Callable

from fastapi import Request, Response


def answer_with_tag(request: Request, tag: str, answer: Callable[[], Response]) -> Response:
    """What `answer` makes, with its tag; 304 and nothing where a reader has that already."""
    known = unchanged(request, tag) if request.method in {"GET", "HEAD"} else None
    return known or with_tag(answer(), tag)


def unchanged(request: Request, tag: str) -> Response | None:
    """304, where who asks has what `tag` stands for already."""
    if not _names(request.headers.get("if-none-match", ""), tag):
        return None
    return with_tag(Response(status_code=304), tag)


def with_tag(answer: Response, tag: str) -> Response:
    """`answer`, which may be kept and must be asked for again."""
    answer.headers.update({"ETag": f'"{tag}"', "Cache-Control": "no-cache"})
    return answer


def expected_tag(request: Request) -> str:
    """The tag that what is to be changed must have, by `If-Match`; nothing where any will do."""
    value = request.headers.get("if-match", "").strip()
    return "" if value == "*" else value.removeprefix("W/").strip('"')


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or any(
        each.strip().removeprefix("W/").strip('"') == tag for each in header.split(",") if each.strip()
    )
