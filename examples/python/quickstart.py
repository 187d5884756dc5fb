"""The first steps: put, get, delete, a batch and a scan.

python examples/python/quickstart.py [FOLDER]
"""

import lightning_db
from folder import work_folder


def main() -> None:
    with work_folder() as folder, lightning_db.open(folder / "quickstart") as db:
        db[b"hello"] = b"world"
        assert db[b"hello"] == b"world"

        del db[b"hello"]
        assert db.get(b"hello") is None

        # A batch is applied whole or not at all.
        with db.batch() as batch:
            for user, name in [(b"user:1", b"Alice"), (b"user:2", b"Bob"), (b"user:3", b"Charlie")]:
                batch[user] = name

        # The start belongs to the range, the end does not.
        for key, value in db[b"user:1":b"user:3"]:
            print(key.decode(), "=", value.decode())


if __name__ == "__main__":
    main()
