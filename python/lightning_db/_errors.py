"""One class for each kind of error. Made by `make generate-python`; not to be edited."""

from __future__ import annotations

import errno

from lightning_db._error import Error

__all__ = [
    "Error",
    "AlreadyExistsError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "CorruptionError",
    "ForkedError",
    "HaltedError",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "LockedError",
    "MismatchError",
    "NoSpaceError",
    "NotADatabaseError",
    "NotFoundError",
    "OutOfMemoryError",
    "PermissionDeniedError",
    "ReadOnlyError",
    "TimedOutError",
    "TooManyError",
    "UnsupportedVersionError",
]


class NotFoundError(Error, FileNotFoundError):
    code = 1
    name = "NotFound"
    retryable = False
    _default_errno = errno.ENOENT


class InvalidArgumentError(Error, ValueError):
    code = 2
    name = "InvalidArgument"
    retryable = False


class IoError(Error, OSError):
    code = 3
    name = "Io"
    retryable = False


class CorruptionError(Error):
    code = 4
    name = "Corruption"
    retryable = False


class NoSpaceError(Error, OSError):
    code = 5
    name = "NoSpace"
    retryable = True
    _default_errno = errno.ENOSPC


class LockedError(Error, OSError):
    code = 6
    name = "Locked"
    retryable = True
    _default_errno = errno.EWOULDBLOCK


class ConflictError(Error):
    code = 7
    name = "Conflict"
    retryable = True


class HaltedError(Error):
    code = 8
    name = "Halted"
    retryable = False


class ClosedError(Error, ValueError):
    code = 9
    name = "Closed"
    retryable = False


class ReadOnlyError(Error):
    code = 10
    name = "ReadOnly"
    retryable = False


class NotADatabaseError(Error):
    code = 11
    name = "NotADatabase"
    retryable = False


class AlreadyExistsError(Error, FileExistsError):
    code = 12
    name = "AlreadyExists"
    retryable = False
    _default_errno = errno.EEXIST


class UnsupportedVersionError(Error):
    code = 13
    name = "UnsupportedVersion"
    retryable = False


class MismatchError(Error):
    code = 14
    name = "Mismatch"
    retryable = False


class TooManyError(Error):
    code = 15
    name = "TooMany"
    retryable = True


class TimedOutError(Error, TimeoutError):
    code = 16
    name = "TimedOut"
    retryable = True
    _default_errno = errno.ETIMEDOUT


class CancelledError(Error):
    code = 17
    name = "Cancelled"
    retryable = False


class PermissionDeniedError(Error, PermissionError):
    code = 18
    name = "PermissionDenied"
    retryable = False
    _default_errno = errno.EACCES


class OutOfMemoryError(Error, MemoryError):
    code = 19
    name = "OutOfMemory"
    retryable = True


class ForkedError(Error):
    code = 20
    name = "Forked"
    retryable = False


class InternalError(Error, RuntimeError):
    code = 21
    name = "Internal"
    retryable = False


KINDS = {kind.code: kind for kind in (NotFoundError, InvalidArgumentError, IoError, CorruptionError, NoSpaceError, LockedError, ConflictError, HaltedError, ClosedError, ReadOnlyError, NotADatabaseError, AlreadyExistsError, UnsupportedVersionError, MismatchError, TooManyError, TimedOutError, CancelledError, PermissionDeniedError, OutOfMemoryError, ForkedError, InternalError)}
"""The classes by number."""

for _kind in KINDS.values():
    _kind.__module__ = "lightning_db"
