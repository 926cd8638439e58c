"""Paths that name one value of a payload."""

from functools import lru_cache

import jsonpath
from jsonpath.selectors import IndexSelector, NameSelector

from croupier.errors import InvalidArgument

PATH_CHARACTERS = 512

_RFC_9535 = jsonpath.JSONPathEnvironment(strict=True)


@lru_cache(maxsize=1024)
def single_value_path(query: str) -> jsonpath.JSONPath:
    """A JSONPath (RFC 9535) that names one value at most: without filters, slices, wildcards.

    Raises InvalidArgument, saying where it cannot be read.
    """
    if len(query) > PATH_CHARACTERS:
        raise InvalidArgument(f"a JSONPath has at most {PATH_CHARACTERS} characters: {query[:40]!r} …")
    try:
        path = _RFC_9535.compile(query)
    except jsonpath.JSONPathError as error:
        raise InvalidArgument(f"JSONPath {query!r} cannot be read: {error.args[0]}") from None
    if not isinstance(path, jsonpath.JSONPath) or not path.singular_query():
        raise InvalidArgument(f"JSONPath {query!r} may name several values: write names and indices, as in $.player.id")
    return path


def steps_of(query: str) -> tuple[str | int, ...]:
    """The names and indices that a path of one value goes by. Raises InvalidArgument as `single_value_path` does."""
    return tuple(_step(segment.selectors[0]) for segment in single_value_path(query).segments)


def _step(selector: object) -> str | int:
    match selector:
        case NameSelector():
            return selector.name
        case IndexSelector():
            return selector.index
        case _:
            raise InvalidArgument("a path of one value goes by names and indices only")
