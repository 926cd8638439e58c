import zlib

from croupier.errors import InvalidArgument, PayloadTooLarge

GZIP = b"\x1f\x8b"
RATIO = 200
FREE_BYTES = 1_000_000
"""Beyond these nothing may grow to more than RATIO times its packed size."""
_PIECE = 65_536


def gunzip(packed: bytes, most: int) -> bytes:
    """`packed`, one gzip member and nothing after it, unpacked piece by piece; never more than `most` bytes are held.

    Raises InvalidArgument or PayloadTooLarge.
    """
    allowed = min(most, max(FREE_BYTES, RATIO * len(packed)))
    stream = zlib.decompressobj(wbits=31)
    pieces, size, left = [], 0, packed
    try:
        while not stream.eof:
            piece = stream.decompress(left, _PIECE)
            left = stream.unconsumed_tail
            size += len(piece)
            if size > allowed:
                raise _too_large(most, size)
            if not piece and not left and not stream.eof:
                raise InvalidArgument("the manifest's gzip data is cut off: send all of it")
            pieces.append(piece)
    except zlib.error as error:
        raise InvalidArgument(f"the manifest is not gzip: {error}") from error
    if stream.unused_data:
        raise InvalidArgument("after the manifest's gzip data comes something else: send one gzip member alone")
    return b"".join(pieces)


def _too_large(most: int, size: int) -> PayloadTooLarge:
    if size > most:
        return PayloadTooLarge(f"the manifest unpacks to more than {most} bytes: split it into several providers")
    return PayloadTooLarge(f"the manifest unpacks to more than {RATIO} times its size: no manifest does that")
