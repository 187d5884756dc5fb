"""The end of the interpreter, and children that were forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lightning_db
from lightning_db import _open

# Each leaves something open at the end of the program, in its own way.
ENDINGS = {
    "falls off the end": "",
    "exits": "sys.exit(0)",
    "holds iterators": "scan = iter(db); next(scan); items = db.items(); snapshot = db.snapshot(); tx = db.transaction()",
    "holds cycles": "db.__class__.cycle = [db]; scans = [iter(db)]; scans.append(scans)",
    "has a batch half full": "batch = db.batch(); batch[b'lost'] = b''",
    "has a daemon thread that reads": "threading.Thread(target=lambda: [db.get(b'a') for _ in iter(int, 1)], daemon=True).start()",
    "has a daemon thread that writes": "threading.Thread(target=lambda: [db.put(b'b', b'') for _ in iter(int, 1)], daemon=True).start()",
    "has a daemon thread that scans": "threading.Thread(target=lambda: [list(db) for _ in iter(int, 1)], daemon=True).start()",
    "has a thread that ends later": "threading.Timer(0.05, lambda: db.put(b'late', b'')).start()",
    "is busy in the background": "db.put_many((n.to_bytes(4), bytes(300)) for n in range(20000))",
    "holds it in a module": "import types; sys.modules['kept'] = types.ModuleType('kept'); sys.modules['kept'].db = db; del db",
}

PROGRAM = """
import sys, threading
import lightning_db
db = lightning_db.open(sys.argv[1], default_level="eventual", memtable_size=1 << 16)
db[b"a"] = b"1"
"""


def run(code: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-c", code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("ending", ENDINGS)
def test_exit_with_an_open_database(tmp_path: Path, ending: str) -> None:
    result = run(PROGRAM + ENDINGS[ending], tmp_path / "db")
    noise = [line for line in result.stderr.splitlines() if "ClosedError" in line or not line.startswith((" ", "Exc", "Tra"))]
    assert result.returncode == 0, result.stderr
    assert all("ClosedError" in line for line in noise) and ("daemon" in ending or not result.stderr), result.stderr
    with lightning_db.open(tmp_path / "db", "rw") as db:
        assert db[b"a"] == b"1", "an orderly exit keeps what is in memory"
        assert (b"late" in db) == (ending == "has a thread that ends later") and b"lost" not in db


def test_exit_warns(tmp_path: Path) -> None:
    result = run(PROGRAM, tmp_path / "db", "-W", "always::ResourceWarning")
    assert result.returncode == 0 and "ResourceWarning: unclosed <lightning_db.Database" in result.stderr
    result = run(PROGRAM + "db.close()", tmp_path / "db", "-W", "always::ResourceWarning")
    assert result.returncode == 0 and result.stderr == ""


def test_exit_by_an_exception(tmp_path: Path) -> None:
    result = run(PROGRAM + "1 // 0", tmp_path / "db")
    assert result.returncode == 1 and result.stderr.splitlines()[-1].startswith("ZeroDivisionError")
    lightning_db.open(tmp_path / "db", "rw").close()


def test_exit_closes_all_whatever_the_warnings_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning that is an error, as here, keeps none of the others open."""
    databases = [lightning_db.open(tmp_path / str(number)) for number in range(3)]
    monkeypatch.setattr(_open, "_all", lambda: databases)
    with pytest.raises(ResourceWarning):
        _open._at_exit()
    assert all(db.closed for db in databases)


OPENING = """
import sys, threading
import lightning_db
from lightning_db import _open
sys.setswitchinterval(1e-6)
stop = threading.Event()
def work(number):
    while not stop.is_set():
        lightning_db.open(f"{sys.argv[1]}{number}", default_level="eventual").close()
threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
for thread in threads: thread.start()
kept = [lightning_db.open(f"{sys.argv[1]}-{number}") for number in range(20)]
for _ in range(20000): _open._all()
stop.set()
for thread in threads: thread.join()
for db in kept: db.close()
"""


def test_threads_that_open_while_all_are_closed(tmp_path: Path) -> None:
    result = run(OPENING, tmp_path / "db")
    assert result.returncode == 0 and result.stderr == "", result.stderr


SIGNAL = """
import signal
for number in range(300): db.put_many((number.to_bytes(2) + n.to_bytes(4), b"") for n in range(1000))
def close(*_): db.close()
signal.signal(signal.SIGALRM, close)
signal.setitimer(signal.ITIMER_REAL, 0.01)
"""

BUSY = {
    "len": "while True: len(db)",
    "count": "while True: db.count(b'')",
    "items": "while True: [None for _ in db.items()]",
    "get_many": "while True: db.get_many([b'a'] * 5000)",
    "puts": "while True: db.put_many((n.to_bytes(4), b'') for n in range(1000))",
    "a transaction": """
while True:
    with db.transaction() as tx: len(tx), tx.put(b'a', b'')
""",
    "an iterator and a batch": """
scan, batch = iter(db), db.batch()
while True:
    batch.put(b'a', b''); batch.write()
    next(scan, None)
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer")
@pytest.mark.parametrize("busy", BUSY)
def test_close_in_a_signal_handler(tmp_path: Path, busy: str) -> None:
    result = run(PROGRAM + SIGNAL + BUSY[busy], tmp_path / "db")
    assert result.returncode == 1 and "ClosedError: the database is closed" in result.stderr, result.stderr
    lightning_db.open(tmp_path / "db", "rw").close()


FORK = """
import os
scan, snapshot, tx, batch = iter(db.items()), db.snapshot(), db.transaction(), db.batch()
tx.put(b"b", b"")
batch.put(b"b", b"")
child = os.fork()
if child == 0:
    {child}
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
del scan
tx.close(), snapshot.close(), batch.close()
db.put(b"parent", b"", "strong")
db.close()
"""


# Every kind of handle was made before the fork; the child's own database is none of its parent's business.
IN_CHILD = """
    calls = [
        lambda: db[b"a"], lambda: db.put(b"c", b""), lambda: db.get_many([b"a"]), lambda: next(scan), lambda: list(db),
        lambda: snapshot[b"a"], lambda: tx.put(b"c", b""), lambda: tx.commit(), lambda: batch.write(), db.flush, db.close,
    ]
    for number, call in enumerate(calls):
        try:
            call()
        except lightning_db.ForkedError:
            continue
        sys.exit(100 + number)
    with lightning_db.open(sys.argv[1] + "-of-the-child") as own:
        own[b"a"] = b"1"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("child", ["", IN_CHILD, "del db; import gc; gc.collect()"])
def test_a_forked_child_leaves_its_parents_database_alone(tmp_path: Path, child: str) -> None:
    result = run(PROGRAM + FORK.format(child=child), tmp_path / "db", "-W", "error")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    with lightning_db.open(tmp_path / "db", "rw") as db:
        assert list(db) == [b"a", b"parent"]
