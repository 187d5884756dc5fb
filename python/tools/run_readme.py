"""Runs the Python code of a Markdown file, all blocks as one program, in an empty folder.

python tools/run_readme.py FILE
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path


def main(file: str) -> None:
    text = Path(file).read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    if len(blocks) != text.count("```python") or not blocks:
        raise SystemExit(f"{file}: found {len(blocks)} blocks of Python")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(compile("\n".join(blocks), file, "exec"), {"__name__": "__main__"})
        os.chdir("/")
    print(f"{file}: {len(blocks)} blocks ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
