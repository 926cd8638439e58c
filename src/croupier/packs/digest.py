import hashlib
from collections.abc import Mapping


def content_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 in hex over names and contents: of what a pack is, however it was compressed, ordered or signed."""
    found = hashlib.sha256(b"croupier pack, form 1\n")
    for name, content in sorted((name.encode(), content) for name, content in files.items()):
        found.update(b"%d:%b%d:" % (len(name), name, len(content)))
        found.update(content)
    return found.hexdigest()
