"""Check and repair of databases that are closed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lightning_db import _native

if TYPE_CHECKING:
    from typing import Unpack

    from _typeshed import StrOrBytesPath

    from lightning_db._types import Options


class CheckProgress(NamedTuple):
    """How far a check has got."""

    done: int
    """Bytes looked at."""
    total: int
    """Bytes in all."""


CheckProgress.__module__ = "lightning_db"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a place of a file."""

    __module__ = "lightning_db"

    file: str
    """The file."""
    offset: int | None
    """Where in it, in bytes."""
    keyspace: str | None
    """The keyspace, where it is one's."""
    first_key: bytes | None
    """Keys from here ..."""
    last_key: bytes | None
    """... to here, inclusive, may be concerned."""
    records: int | None
    """How many records, where that is known."""
    what: str
    """What was expected, or is said."""


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair kept, lost and put aside."""

    __module__ = "lightning_db"

    salvaged_records: int
    """Records of damaged files that were written anew."""
    lost: list[Finding]
    """What is gone. An older value of such a key, or a deleted one, may show again."""
    set_aside: list[str]
    """Where the files that were replaced are now, as they were found."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found, and what a repair did."""

    __module__ = "lightning_db"

    problems: list[Finding]
    """What is damaged, missing or contradictory. After a repair: what was."""
    notes: list[Finding]
    """What is worth knowing and no damage: tails that a crash tore, files that the next open removes."""
    repair: RepairReport | None
    """What was done, if anything had to be."""
    files: int
    """Files looked at."""
    pages: int
    """Right pages of tables."""
    records: int
    """Records in right pages and whole commits: all versions, deletes too."""
    bytes: int
    """Bytes of the files looked at."""

    @property
    def ok(self) -> bool:
        """Whether nothing is, or (after a repair) was, wrong."""
        return not self.problems


def _findings(made: list[dict[str, Any]]) -> list[Finding]:
    return [Finding(**finding) for finding in made]


def _report(made: dict[str, Any]) -> CheckReport:
    repair = made["repair"]
    if repair is not None:
        repair = RepairReport(**repair | {"lost": _findings(repair["lost"])})
    lists = {name: _findings(made[name]) for name in ("problems", "notes")}
    return CheckReport(**made | lists | {"repair": repair})


def _told(
    progress: Callable[[CheckProgress], object] | None,
) -> Callable[[int, int], object] | None:
    return None if progress is None else lambda *figures: progress(CheckProgress(*figures))


def check(
    path: StrOrBytesPath,
    *,
    progress: Callable[[CheckProgress], object] | None = None,
    **options: Unpack[Options],
) -> CheckReport:
    """Reads every byte of a database that nobody has open, and reports what is wrong. Changes nothing.

    Takes as long as reading all files, with the interpreter's lock released. `progress` is called at the begin, at the end and
    some times a second between; it cannot stop the work, and what it raises comes through behind it. Damage is no error, unless nothing says which
    database this is (`CorruptionError`). Errors: `LockedError`, `NotFoundError`, `NotADatabaseError`,
    `InvalidArgumentError`, `MismatchError`, `UnsupportedVersionError`, `PermissionDeniedError`, `IoError`.
    """
    return _report(_native._check(os.fsdecode(path), _told(progress), **options))


def repair(
    path: StrOrBytesPath,
    *,
    progress: Callable[[CheckProgress], object] | None = None,
    **options: Unpack[Options],
) -> CheckReport:
    """Mends a database that nobody has open, also one that does not open. If nothing is wrong nothing is changed.

    Every record is kept whose page or commit is whole; the report says what is lost. Files that were replaced are moved
    to the folder `lost` in the database. Where newer records of a key are lost, an older value, or a deleted one, may show
    again. A repair that was cut, or failed, must be run again before the database can be opened. Needs room for a second copy
    of what is written anew; `options` (page size, codec) count for that. `progress`: as in `check`. Errors: as `check`, and
    `NoSpaceError`.
    """
    return _report(_native._repair(os.fsdecode(path), _told(progress), **options))
