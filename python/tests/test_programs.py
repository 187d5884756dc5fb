"""The README's code and the examples, run as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

import lightning_db
from lightning_db import _errors

EXAMPLES = REPOSITORY / "examples" / "python"

# What each example must print.
PRINTED = {
    "quickstart": "user:2 = Bob",
    "transfer": "together 2000",
    "prefix_scan": "Beloved, Ulysses",
    "backup": "restored from monday: green",
}


def run(*arguments: str | Path, cwd: Path) -> str:
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize("name", PRINTED)
def test_example(name: str, tmp_path: Path) -> None:
    file = EXAMPLES / f"{name}.py"
    assert PRINTED[name] in run(file, tmp_path / "named", cwd=tmp_path)
    assert any((tmp_path / "named").iterdir())
    assert PRINTED[name] in run(file, cwd=tmp_path)
    assert os.listdir(tmp_path) == ["named"]


def test_every_example_is_run() -> None:
    # `make demo-languages` runs the tour, on the data that it needs.
    assert {file.stem for file in EXAMPLES.glob("*.py")} == {*PRINTED, "folder", "tour"}


def test_readme(tmp_path: Path) -> None:
    python = REPOSITORY / "python"
    printed = run(python / "tools" / "run_readme.py", python / "README.md", cwd=tmp_path)
    assert "user:1 Alice\nuser:2 Bob\n" in printed and " blocks ran" in printed


def test_readme_has_all_options_and_exceptions() -> None:
    text = (REPOSITORY / "python" / "README.md").read_text()
    tables = {}
    for heading in ("Options", "Errors"):
        section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
        tables[heading] = {name: right for left, right in rows for name in re.findall(r"`(\w+)`", left)}
    assert set(tables["Options"]) == {"mode", *lightning_db.Options.__annotations__}
    kinds = list(_errors.KINDS.values())
    assert set(tables["Errors"]) == {kind.__name__ for kind in kinds}
    for kind in kinds:
        also = [base.__name__ for base in kind.__bases__[1:]]
        assert re.findall(r"`(\w+)`", tables["Errors"][kind.__name__].split("(")[0]) == also
