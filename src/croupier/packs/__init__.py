"""Packs: functions, their forms and types as files that travel together.

    folder ──► folder.py ─┐                                       ┌─► differences.py   what an import would change
                          ├─► files by name ─► reading.py ─► Pack ┼─► dependencies.py  what belongs together, what clashes
    .tgz ────► tar.py ────┘   (names.py)                          └─► signing.py       who stands for it

Pure: it asks no server and keeps nothing, so server, command line and generator read a pack alike. What a stranger sent is
read whole or refused whole (`ArchiveRefused`); what it says wrong is told all at once (`PackRefused`).
"""
