"""Prints what a call costs, in nanoseconds and beside a dict and an empty native call of the same run.

    python tools/speed.py

To be run with the release build: `make speed-python`. Each figure is the best of several runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import Any

import lightning_db
from lightning_db import Database, _native

RECORDS = 3000
RUNS = 40

DICT = "dict[k]"
EMPTY = "empty(k)"

def best(call: Callable[[], Any]) -> float:
    """Nanoseconds for each of the records that one call goes over."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return min(times) / RECORDS


def exhaust(things: Any) -> None:
    for _ in things:
        pass


def floors() -> dict[str, float]:
    """What the interpreter alone needs."""
    model = {b"%016d" % number: b"x" * 100 for number in range(RECORDS)}
    keys = list(model)

    def gets() -> None:
        for key in keys:
            model[key]

    def nothing() -> None:
        call = _native._nothing
        for key in keys:
            call(key)

    return {DICT: best(gets), EMPTY: best(nothing)}


def reads(db: Database) -> dict[str, float]:
    model = {b"%016d" % number: b"x" * 100 for number in range(RECORDS)}
    db.put_many(model)
    keys = list(model)

    def gets(mapping: Any) -> None:
        for key in keys:
            mapping[key]

    def get() -> None:
        get = db.get
        for key in keys:
            get(key)

    def contains() -> None:
        for key in keys:
            key in db  # noqa: B015

    def get_many() -> None:
        for start in range(0, RECORDS, 100):
            db.get_many(keys[start : start + 100])

    def scans() -> None:
        for key in keys:
            exhaust(db.items(key, limit=10))

    figures = {"db[k]": best(lambda: gets(db))}
    figures |= {"db.get(k)": best(get), "k in db": best(contains), "get_many, a key": best(get_many)}
    with db.snapshot() as snapshot, db.transaction("snapshot") as tx:
        figures |= {"snapshot[k]": best(lambda: gets(snapshot)), "tx[k]": best(lambda: gets(tx))}
    figures |= {"items, an item": best(lambda: exhaust(db.items())), "keys, a key": best(lambda: exhaust(db))}
    return figures | {"items of 10, a scan": best(scans)}


def writes(db: Database) -> dict[str, float]:
    model = {b"%016d" % number: b"x" * 100 for number in range(RECORDS)}
    pairs = list(model.items())

    def sets(mapping: Any) -> None:
        for key, value in pairs:
            mapping[key] = value

    def put(level: Any) -> None:
        for key, value in pairs:
            db.put(key, value, level)

    def in_transaction() -> None:
        with db.transaction() as tx:
            sets(tx)
            tx.abort()

    def transact() -> None:
        for key, _ in pairs:
            db.transact(lambda tx, key=key: tx.put(key, tx.get(key, b"")))  # type: ignore[misc]

    figures = {"db[k] = v, eventual": best(lambda: sets(db))}
    for level in ("eventual", "quorum"):
        figures[f"db.put(k, v, '{level}')"] = best(lambda level=level: put(level))  # type: ignore[misc]
    figures |= {"tx[k] = v": best(in_transaction), "transact of a key": best(transact)}
    figures["put_many of tuples, a pair"] = best(lambda: db.put_many(pairs))
    return figures | {"put_many of a dict, a pair": best(lambda: db.put_many(model))}


def main() -> None:
    figures = floors()
    for measure in (reads, writes):
        with tempfile.TemporaryDirectory() as folder, lightning_db.open(folder, default_level="eventual") as db:
            figures |= measure(db)
    print(f"{RECORDS} records in memory, keys of 16 bytes, values of 100; ns, best of {RUNS} runs\n")
    print(f"{'':28}{'ns':>8}{DICT:>10}{EMPTY:>12}")
    for name, figure in figures.items():
        print(f"{name:28}{figure:8.0f}{figure / figures[DICT]:9.1f}x{figure / figures[EMPTY]:11.1f}x")


if __name__ == "__main__":
    main()
