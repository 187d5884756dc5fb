"""Transactions: two threads move money between accounts; a conflict is retried, nothing is lost.

python examples/python/transfer.py [FOLDER]
"""

from concurrent.futures import ThreadPoolExecutor

import lightning_db
from folder import work_folder


def transfer(db: lightning_db.Database, source: bytes, target: bytes, amount: int) -> bool:
    """Moves an amount; `False` if there is not enough."""

    def move(tx: lightning_db.Transaction) -> bool:
        available = int(tx[source])
        if available < amount:
            return False
        tx[source] = b"%d" % (available - amount)
        # Reads see the transaction's own writes.
        tx[target] = b"%d" % (int(tx[target]) + amount)
        return True

    return db.transact(move)


def main() -> None:
    with work_folder() as folder, lightning_db.open(folder / "transfer") as db:
        db.put_many({b"alice": b"1000", b"bob": b"1000"})

        with ThreadPoolExecutor() as pool:
            there = [pool.submit(transfer, db, b"alice", b"bob", 7) for _ in range(100)]
            back = [pool.submit(transfer, db, b"bob", b"alice", 5) for _ in range(100)]
        assert all(moved.result() for moved in there + back)

        with db.transaction() as tx:
            alice, bob = int(tx[b"alice"]), int(tx[b"bob"])
        print(f"alice {alice}, bob {bob}, together {alice + bob}")
        assert (alice, bob) == (800, 1200)


if __name__ == "__main__":
    main()
