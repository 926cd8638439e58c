"""Paths that name one value of a payload."""

from functools import lru_cache

import jsonpath

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
