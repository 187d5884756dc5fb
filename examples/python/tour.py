"""The tour in Python; examples/rust/tour.rs says what it is."""

import sys
import zlib
from itertools import islice
from pathlib import Path

import lightning_db

BATCH = 1000
# Every so manieth key is read by its own.
STEP = 101


def load(database, lines_of):
    with lightning_db.open(database) as db, open(lines_of, "rb") as lines:
        entries = (line.rstrip(b"\n").split(b"\t", 1) for line in lines)
        while batch := [(key, value) for key, value in islice(entries, BATCH)]:
            db.put_many(batch)


def say(question, answer):
    print(f"{question}\t{answer}")


def digest(parts):
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return f"{crc:08x}"


def summary(entries):
    count, crc = 0, 0
    for key, value in entries:
        count += 1
        crc = zlib.crc32(value, zlib.crc32(key, crc))
    return f"{count} {crc:08x}"


def gets(db):
    keys = list(db.keys(prefix=b"city/"))
    say("keys", len(keys))
    sample = keys[::STEP]
    say("gets", f"{len(sample)} {digest(db[key] for key in sample)}")
    say("get many", digest(db.get_many(sample)))
    say("absent key", "none" if db.get(b"city/nowhere") is None else "a value")


def scans(db):
    say("scan all cities", summary(db.items(prefix=b"city/")))
    say("scan one country", summary(db.items(prefix=b"city/JP/")))
    say("scan backwards", summary(db.items(prefix=b"city/", reverse=True)))
    say("scan a range", summary(db.items(gte=b"city/DE/", lte=b"city/FR/Paris/0000")))
    say("last key", next(iter(db.keys(prefix=b"city/", reverse=True, limit=1))).decode())


def snapshot(db):
    db[b"tour/moving"] = b"old"
    with db.snapshot() as then:
        db[b"tour/moving"] = b"new"
        say("snapshot, then now", f"{then[b'tour/moving'].decode()} {db[b'tour/moving'].decode()}")


def transactions(db):
    def number(source):
        return int(source.get(b"tour/counter", b"0"))

    def add(tx):
        tx[b"tour/counter"] = b"%d" % (number(tx) + 1)
        return number(tx)

    before = number(db)
    inside = db.transact(add)
    after = number(db)
    say("transaction adds", f"{inside - before} {after - before}")

    def lose():
        with db.transaction() as tx:
            number(tx)
            tx[b"tour/counter"] = b"lost"
            db[b"tour/counter"] = b"%d" % after

    say("lost race", outcome(lose))
    tx = db.transaction()
    tx[b"tour/counter"] = b"taken back"
    tx.abort()
    say("aborted", number(db) - after)


def levels(db):
    text = b""
    for level in ("strong", "quorum", "eventual"):
        db.put(b"tour/level", level[:1].encode(), consistency=level)
        text += db[b"tour/level"]
    db.delete_many([b"tour/level", b"tour/moving"])
    say("levels", text.decode())
    say("deleted", "none" if b"tour/level" not in db else "a value")


def backup(db, work):
    db.backup(work / "backup")
    lightning_db.restore(work / "backup", work / "restored")
    with lightning_db.open(work / "restored", mode="rw") as restored:
        say("backup, restored", summary(restored.items(prefix=b"city/")))


def outcome(call):
    try:
        call()
    except lightning_db.Error as error:
        return f"{error.code} {error.name}"
    return "no error"


def errors(db, work, locked):
    say("error: open elsewhere", outcome(lambda: lightning_db.open(locked)))
    say("error: no such database", outcome(lambda: lightning_db.open(work / "nothing", mode="rw")))
    say("error: restore over files", outcome(lambda: lightning_db.restore(work / "backup", work / "backup")))
    say("error: key too long", outcome(lambda: db.put(bytes(65_536), b"")))
    say("error: not a database", outcome(lambda: lightning_db.open(work / "backup" / "CURRENT")))
    db.close()
    say("error: closed", outcome(lambda: db.get(b"a")))


def tour(database, work, locked):
    db = lightning_db.open(database, mode="rw")
    gets(db)
    scans(db)
    snapshot(db)
    transactions(db)
    levels(db)
    backup(db, Path(work))
    errors(db, Path(work), locked)


if __name__ == "__main__":
    {"load": load, "tour": tour}[sys.argv[1]](*sys.argv[2:])
