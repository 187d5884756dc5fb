"""The base class of all errors. The kinds, made from the engine's table, are in `_errors.py`."""

from __future__ import annotations

import os
from typing import Any, ClassVar


class Error(Exception):
    """A failure of the database. Each kind of failure is a subclass.

    Some kinds are also what Python calls such a failure: `IoError` is an `OSError` with `errno` and `filename`,
    `InvalidArgumentError` a `ValueError`, `TimedOutError` a `TimeoutError`.
    """

    code: ClassVar[int] = 0
    """Number of the kind, the same in every language and version."""
    name: ClassVar[str] = ""
    """Name of the kind, the same in every language and version."""
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without anything being mended."""

    file: str | None
    """The file that the error is about."""
    offset: int | None
    """The offset in `file`, in bytes."""

    _default_errno: ClassVar[int | None] = None

    def __init__(
        self, message: str = "", file: str | None = None, offset: int | None = None, os_error: int | None = None
    ) -> None:
        super().__init__(message)
        self.file = file
        self.offset = offset
        if isinstance(self, OSError):
            _describe(self, self._default_errno if os_error is None else os_error, file)

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        os_error = self.errno if isinstance(self, OSError) else None
        return type(self), (str(self), self.file, self.offset, os_error), self.__dict__.copy()


def _describe(error: OSError, number: int | None, file: str | None) -> None:
    error.errno = number
    error.strerror = None if number is None else os.strerror(number)
    error.filename = file


Error.__module__ = "lightning_db"
