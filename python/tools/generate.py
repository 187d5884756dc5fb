"""Writes what is derived from the native module: its stub, the error classes, the types of options and figures.

    python tools/generate.py LIBRARY STUB [--check]

LIBRARY is the built native module and STUB what `maturin generate-stubs` made of it. `--check` writes nothing and fails if
a file in the tree differs.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
import tempfile
import textwrap
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parent.parent / "lightning_db"

NOTE = "Made by `make generate-python`; not to be edited."

# What Python calls a failure of a kind, and the `errno` that goes with it where the operating system gave none.
BUILTINS = {
    "NotFound": ("FileNotFoundError", "ENOENT"),
    "InvalidArgument": ("ValueError", None),
    "Io": ("OSError", None),
    "NoSpace": ("OSError", "ENOSPC"),
    "Locked": ("OSError", "EWOULDBLOCK"),
    "Closed": ("ValueError", None),
    "AlreadyExists": ("FileExistsError", "EEXIST"),
    "TimedOut": ("TimeoutError", "ETIMEDOUT"),
    "PermissionDenied": ("PermissionError", "EACCES"),
    "OutOfMemory": ("MemoryError", None),
    "Internal": ("RuntimeError", None),
}

# Figures that are asked for together.
FIGURES = {
    "Stats": "Figures about a database.",
    "Metrics": "What a database has counted and measured since it was opened.",
    "MemoryStats": "Bytes in memory, by what they are for.",
}

# Signatures that the interpreter knows one of, and type checkers several.
OVERLOADS = {
    "    def __getitem__(self, key: Buffer | slice, /) -> bytes | ItemsIterator: ...\n": """\
    @overload
    def __getitem__(self, key: Buffer, /) -> bytes: ...
    @overload
    def __getitem__(self, key: slice[Buffer | None, Buffer | None, None], /) -> ItemsIterator: ...
""",
    '    def get(self, key: Buffer, default: "object" = None, /) -> "object":\n': """\
    @overload
    def get(self, key: Buffer, default: None = None, /) -> bytes | None: ...
    @overload
    def get(self, key: Buffer, default: _T, /) -> bytes | _T:
""",
    # As in every mapping: looking for something else is not a mistake of types.
    "    def __contains__(self, key: Buffer, /) -> bool: ...\n": """\
    def __contains__(self, key: object, /) -> bool: ...
""",
}

# Names of the annotations in quotes, which maturin leaves as they are.
STUB_HEAD = """\
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, overload

from _typeshed import SupportsKeysAndGetItem

from lightning_db._types import Consistency, Isolation, MemoryStats, Metrics, Stats

_K = TypeVar("_K", bound=Buffer)
_T = TypeVar("_T")

"""


def stub(made: str) -> str:
    """The stub of the native module."""
    for single, several in OVERLOADS.items():
        if made.count(single) != 1:
            raise SystemExit(f"not once in the stub: {single}")
        made = made.replace(single, several)
    made = re.sub(r'(: |-> )"([^"\n]+)"(?= = |[,):])', r"\1\2", made)
    made = re.sub(r"(def __new__\(.*\)) -> \w+:", r"\1 -> Self:", made)
    made = re.sub(r"consistency: str \| None", "consistency: Consistency | None", made)
    made = re.sub(r"isolation: str", "isolation: Isolation", made)
    head, body = made.split("\n__all__", 1)
    return f"# {NOTE}\n{head}{STUB_HEAD}__all__{body}"


def errors(native: ModuleType) -> str:
    """The error classes."""
    kinds = native._error_kinds()
    names = [f"{name}Error" for _, name, _ in kinds]
    lines = [f'"""One class for each kind of error. {NOTE}"""', "", "from __future__ import annotations", ""]
    lines += ["import errno", "", "from lightning_db._error import Error", ""]
    lines += ["__all__ = [", '    "Error",', *(f'    "{name}",' for name in sorted(names)), "]"]
    for (code, name, retryable), class_name in zip(kinds, names, strict=True):
        builtin, number = BUILTINS.get(name, (None, None))
        lines += ["", "", f"class {class_name}(Error{f', {builtin}' if builtin else ''}):"]
        lines += [f"    code = {code}", f'    name = "{name}"', f"    retryable = {retryable}"]
        if number:
            lines.append(f"    _default_errno = errno.{number}")
    lines += ["", "", f"KINDS = {{kind.code: kind for kind in ({', '.join(names)})}}"]
    lines += ['"""The classes by number."""', "", "for _kind in KINDS.values():", '    _kind.__module__ = "lightning_db"']
    return "\n".join(lines) + "\n"


def option(takes: str, levels: list[str]) -> str:
    """The type of an option, by what the engine says that it takes."""
    plain = {"a whole number": "int", "true or false": "bool", "a number of seconds": "float"}
    if takes in plain:
        return plain[takes]
    words = re.split(", | or ", takes)
    if len(words) < 2 or any(" " in word for word in words):
        raise SystemExit(f"no type for an option that takes {takes}")
    return "Consistency" if words == levels else f"Literal[{', '.join(map(repr, words))}]".replace("'", '"')


def types(native: ModuleType) -> str:
    """The types of arguments and results that are the engine's tables."""
    levels, isolations = (", ".join(f'"{name}"' for name in names) for names in (native._levels(), native._isolations()))
    lines = [f'"""Names and types of options and figures. {NOTE}"""', "", "from __future__ import annotations", ""]
    lines += ["from typing import Literal, TypeAlias, TypedDict", ""]
    lines += [f"Consistency: TypeAlias = Literal[{levels}]", '"""How far a write has got when it is acknowledged."""', ""]
    lines += [f"Isolation: TypeAlias = Literal[{isolations}]", '"""What is checked at a commit."""', "", ""]
    lines += ["class Options(TypedDict, total=False):", '    """How to open a database."""', ""]
    for name, takes, about in native._options():
        lines += [f"    {name}: {option(takes, native._levels())}", *said(about)]
    lines += ["", "", "class KeyspaceOptions(TypedDict, total=False):"]
    lines += ['    """How to make a keyspace: as in `Options`; `compression_type` 0 is none."""', ""]
    takes_of = {name: takes for name, takes, _ in native._options()}
    lines += [f"    {name}: {option(takes_of[name], native._levels())}" for name in native._keyspace_options()]
    meanings = {(group, name): text for group, name, text in native._meanings()}
    with tempfile.TemporaryDirectory() as folder:
        database = native.Database(folder)
        for name, words in FIGURES.items():
            lines += ["", "", f"class {name}(TypedDict):", f'    """{words}"""', ""]
            figures = getattr(database, re.sub("(?=[A-Z])", "_", name).lower())()
            for figure, value in figures.items():
                lines += [f"    {figure}: {kind(value)}", *said(meanings[name, figure])]
        database.close()
    return "\n".join(lines) + "\n"


def said(text: str) -> list[str]:
    """What stands under a field, in lines."""
    lines = textwrap.wrap(f'"""{text}"""', 120, break_long_words=False, break_on_hyphens=False)
    return [f"    {line}" for line in lines]


def kind(value: object) -> str:
    """The type of a figure."""
    if value is None:
        return "str | None"
    return "list[int]" if isinstance(value, list) else type(value).__name__


def load(library: Path) -> ModuleType:
    """The native module alone: the package imports what is generated here."""
    loader = importlib.machinery.ExtensionFileLoader("_native", str(library))
    spec = importlib.util.spec_from_loader("_native", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def main(library: str, made_stub: str, *flags: str) -> int:
    native = load(Path(library))
    made = {
        "_native.pyi": stub(Path(made_stub).read_text()),
        "_errors.py": errors(native),
        "_types.py": types(native),
    }
    wrong = [name for name, text in made.items() if not is_same(PACKAGE / name, text)]
    if "--check" in flags:
        for name in wrong:
            print(f"python/lightning_db/{name} is not what `make generate-python` makes", file=sys.stderr)
        return 1 if wrong else 0
    for name in wrong:
        (PACKAGE / name).write_text(made[name])
        print(f"wrote python/lightning_db/{name}")
    return 0


def is_same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
