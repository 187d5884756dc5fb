"""A backup of a database in use, and its restore into a new folder.

python examples/python/backup.py [FOLDER]
"""

import lightning_db
from folder import work_folder


def main() -> None:
    with work_folder() as folder, lightning_db.open(folder / "original") as db:
        db[b"color"] = b"green"
        db.backup(folder / "backups" / "monday")

        # What is written later is not in the backup.
        db[b"color"] = b"blue"

        lightning_db.restore(folder / "backups" / "monday", folder / "restored")
        with lightning_db.open(folder / "restored", "rw") as restored:
            print("restored from monday:", restored[b"color"].decode())
            assert restored[b"color"] == b"green"
        assert db[b"color"] == b"blue"


if __name__ == "__main__":
    main()
