"""What a request says it takes, and has already (RFC 9110, sections 12.5 and 13.1)."""


def wants(header: bytes, name: bytes) -> bool:
    """Whether `name` itself, and no wildcard, is in a list such as that of Accept, and not refused by `q=0`."""
    if name not in header.lower():
        return False
    return any(_named(each, name) for each in header.lower().split(b","))


def names_tag(header: bytes, tag: str) -> bool:
    """Whether If-None-Match names `tag`, weakly or not."""
    wanted = b'"%s"' % tag.encode()
    return header.strip() == b"*" or any(each.strip().removeprefix(b"W/") == wanted for each in header.split(b","))


def _named(item: bytes, name: bytes) -> bool:
    found, *parameters = (part.strip() for part in item.split(b";"))
    return found == name and not any(each.replace(b" ", b"").rstrip(b".0") in {b"q=", b"q"} for each in parameters)
