"""Keys in order: a prefix as a table, a second prefix as an index, and a snapshot that does not move.

python examples/python/prefix_scan.py [FOLDER]
"""

import lightning_db
from folder import work_folder

BOOKS = [("Emma", 1815), ("Ulysses", 1922), ("Dracula", 1897), ("Beloved", 1987)]


def main() -> None:
    with work_folder() as folder, lightning_db.open(folder / "prefix_scan") as db:
        # Record and index entry are in one batch, so that they never disagree.
        for title, year in BOOKS:
            with db.batch() as batch:
                batch[f"book/{title}".encode()] = b"%d" % year
                batch[f"year/{year:04}/{title}".encode()] = b""

        print("by title:")
        for key, written in db.items(prefix=b"book/"):
            print(f"  {key[5:].decode()}, {written.decode()}")

        print("of the 20th century, newest first:")
        titles = [key[10:].decode() for key in db.keys(b"year/1901", b"year/2001", reverse=True)]
        print(" ", ", ".join(titles))
        assert titles == ["Beloved", "Ulysses"]

        with db.snapshot() as snapshot:
            del db[b"book/Emma"]
            assert len(list(snapshot.keys(prefix=b"book/"))) == 4
            assert len(list(db.keys(prefix=b"book/"))) == 3


if __name__ == "__main__":
    main()
