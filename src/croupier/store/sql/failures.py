"""What a database reports, as errors of ours. The one place that knows SQLite's result codes."""

import sqlite3

import orjson
from sqlalchemy.exc import DBAPIError, IntegrityError

from croupier.errors import Conflict, CroupierError, FailedPrecondition, InternalError, InvalidArgument, Unavailable

_PRIMARY = 0xFF
"""SQLite's extended codes carry the primary one in the low byte."""

_FULL = "the disk is full: free some space, then try again"
_BUSY = "another program holds the database: close it, then try again"
_IO = "the database cannot be read or written: look at the disk and the rights of the data directory, then try again"

_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _IO,
    sqlite3.SQLITE_CANTOPEN: _IO,
    sqlite3.SQLITE_READONLY: _IO,
    sqlite3.SQLITE_PERM: _IO,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_NOMEM: "out of memory: try again later",
}
_BROKEN = {
    sqlite3.SQLITE_CORRUPT: "the database is damaged: stop, and restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database: move it away, or choose another data directory",
}


def code(error: BaseException) -> int:
    """SQLite's primary result code, or 0."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (getattr(cause, "sqlite_errorcode", 0) or 0) & _PRIMARY


def is_everyones(error: BaseException) -> bool:
    """Whether the next transaction would fail alike, whatever is in it. (A full disk may still take a smaller one.)"""
    found = code(error)
    return found != sqlite3.SQLITE_FULL and (found in _UNAVAILABLE or found in _BROKEN)


def translated(error: Exception) -> CroupierError:
    """A new error of ours; it says nothing of what was to be stored."""
    found = code(error)
    if found in _UNAVAILABLE:
        return Unavailable(_UNAVAILABLE[found])
    if found in _BROKEN:
        return FailedPrecondition(_BROKEN[found])
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return Conflict("a call with this id is recorded already: make a new id")
    if found == sqlite3.SQLITE_TOOBIG:
        return InvalidArgument("a value is too large to be stored")
    if isinstance(error, OverflowError | UnicodeError | orjson.JSONEncodeError):
        return InvalidArgument("a value cannot be stored: numbers have at most 63 bits, text must be valid Unicode")
    return InternalError("the store failed; its log says why")
