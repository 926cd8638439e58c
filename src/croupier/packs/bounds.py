"""How much a pack may be. An archive that passes any of these is refused whole."""

ARCHIVE_BYTES = 10_000_000
"""A compressed archive, as it is uploaded."""
UNPACKED_BYTES = 256 * 1024 * 1024
"""All files of it together, with what the archive's form adds."""
FREE_BYTES = 16 * 1024 * 1024
RATIO = 200
"""Beyond FREE_BYTES nothing may grow to more than so many times its compressed size."""
MOST_ENTRIES = 10_000
"""Files and folders together."""
NAME_BYTES = 200
MOST_FOLDERS = 8
"""How deep a file may lie."""
UNPACK_SECONDS = 20.0

FILE_BYTES = 16 * 1024 * 1024
"""One file."""

DESCRIBED_BYTES = 32 * 1024 * 1024
"""All descriptions and forms of one pack: each of them is checked, which takes longer than unpacking."""
