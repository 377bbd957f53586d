"""Who may import whom: the reading of all imports under ``src/weft``.

The direction is core <- store, exchange <- rpc <- cli, and never back.  Core and exchange are functions of what they
are given: no files, network, clock or randomness, so that one seeded test can run a hundred servers.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archives import FIXTURES

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = SOURCE / "weft"

PURE = {"core", "errors", "v1"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "_files": set(),
    "v1": {"v1"},  # generated
    "docs": set(),
    "core": PURE,
    "store": PURE | {"store", "_files"},
    "exchange": PURE | {"exchange"},
    "rpc": PURE | {"", "_files", "rpc", "index", "store", "exchange", "keys", "thread", "plural"},
    "keys": {"errors", "_files"},
    "thread": set(),
    "forks": set(),
    "plural": set(),
    "sources": {"sources", "core", "errors", "forks"},
    "copies": {"core", "sources"},
    "archive": {"core", "errors", "forks", "plural", "sources", "copies", "thread"},
    "index": PURE | {"_files", "index", "store", "sources", "copies", "keys", "plural", "thread"},
    "export": {"export", "core", "errors", "plural", "thread"},
    "report": PURE | {"report", "sources", "store", "index", "export", "plural", "thread"},
    "demo": PURE | {"demo", "archive", "index", "rpc", "export", "plural", "thread"},
    "": {"archive", "index", "errors", "rpc", "thread"},  # weft/__init__.py
    "__main__": {"cli"},
}
"""What each room of the house may import of Weft; the cli may import everything."""

STANDARD = {
    "array", "base64", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools",
    "json", "math", "operator", "re", "struct", "types", "typing",
}  # fmt: skip
MAY_USE = {
    # webencodings: a table of labels of charsets, for display; nothing that is hashed depends on it.
    "core": STANDARD | {"binascii", "datetime", "itertools"}
    | {"cryptography", "google.protobuf", "stringzilla", "webencodings"},
    "exchange": STANDARD | {"google.protobuf"},
}  # fmt: skip
"""What the pure packages may import from elsewhere, with all that is below it."""

IMPURE_BUILTINS = {"__import__", "breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"}
"""``hash`` and ``id`` differ from run to run, so nothing that servers must agree on may come of them."""
IMPURE_METHODS = {"generate", "now", "today", "urandom", "utcnow"}

HEAVY = ("networkx", "grpc", "sqlite_utils", "sqlite3", "google.protobuf", "cryptography", "asyncio", "dulwich")


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(name: str) -> str:
    """The package or module right below weft that a module belongs to; "" for weft itself."""
    return name.split(".")[1] if "." in name else ""


def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def imports(name: str) -> Iterator[str]:
    """The full names of all that a module imports anywhere in it, also by a string that names one of our modules."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import, which nobody can search for"
            yield from (imported(node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in MODULES:
            yield from {node.value} - {"weft"}  # "weft" alone is also the name of a profile


def imported(module: str, name: str) -> str:
    """What ``from module import name`` imports: a module of ours, or else the module itself."""
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


def within(name: str, allowed: set[str]) -> bool:
    """Whether a module is one of ``allowed`` or below one of them."""
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) != "cli"])
def test_no_module_imports_against_the_direction(name: str) -> None:
    assert room(name) in MAY_IMPORT, f"say in MAY_IMPORT where {name} stands"
    ours = {other for other in imports(name) if within(other, {"weft"})}
    wrong = {other for other in ours if room(other) not in MAY_IMPORT[room(name)]}
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


def test_nothing_but_the_entry_point_imports_the_command_line() -> None:
    found = {name for name in MODULES if room(name) != "cli" and "cli" in map(room, imports(name))}
    assert found == {"weft.__main__"}


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in MAY_USE])
def test_core_and_exchange_import_nothing_that_reaches_outside(name: str) -> None:
    allowed = MAY_USE[room(name)] | {"__future__", "weft"}
    wrong = {other for other in imports(name) if not within(other, allowed)}
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in MAY_USE])
def test_core_and_exchange_call_nothing_that_reads_files_clocks_or_randomness(name: str) -> None:
    called = [node.func for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    wrong = {function.id for function in called if isinstance(function, ast.Name)} & IMPURE_BUILTINS
    wrong |= {function.attr for function in called if isinstance(function, ast.Attribute)} & IMPURE_METHODS
    assert not wrong, f"{name} may not call {', '.join(sorted(wrong))}"


def test_the_reading_of_imports_finds_them() -> None:
    assert "weft.core.forest" in set(imports("weft.archive"))
    assert "networkx" in set(imports("weft.thread")), "also inside functions"
    assert "weft.export.json" in set(imports("weft.export")), "also by name"
    assert {"weft.archive", "weft.thread"} <= set(imports("weft"))
    assert {"weft.core.claim", "weft.sources.mbox", "weft.cli.rebuild"} <= set(MODULES)


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], *(["rebuild", "-q", "--format", name] for name in ("text", "json", "mboxrd", "dot"))],
    ids=" ".join,
)
def test_a_command_loads_no_library_that_it_does_not_need(arguments: list[str]) -> None:
    story = [str(FIXTURES / "story" / "drafts.mbox")] if arguments[0] == "rebuild" else []
    loaded = modules_after(f"""
import sys
from weft.cli.main import main
sys.argv = ["weft", *{arguments + story!r}]
try:
    main()
except SystemExit as stopped:
    assert not stopped.code
""")
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_importing_weft_loads_none_of_its_modules() -> None:
    assert not {name for name in modules_after("import weft") if name.startswith("weft.")}


def modules_after(program: str) -> set[str]:
    """The names of all modules that are loaded when a program has run in a process of its own."""
    report = "\nimport sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program + report], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())
