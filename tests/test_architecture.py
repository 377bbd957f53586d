"""Who may import whom, what the pure layers may use, and which words are used: the reading of all of ``src/weft``.

Pure: core <- policy <- exchange, wire, render <- mail_text.  With files, clocks and networks: sources, store <- index
<- server, peering, client <- the command line and the demonstration.  Never back.  Core, exchange and wire are
functions of what they are given: no files, network, clock or randomness, so that one seeded test can run a hundred
servers.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import FIXTURES

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = SOURCE / "weft"

BASE = {"errors", "v1", "_text", "_patterns"}
CORE = BASE | {"core"}
PURE = CORE | {"policy", "model", "thread_tree"}
GRPC = {"grpc_failure", "grpc_health", "grpc_status"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "v1": {"v1"},  # generated
    "_files": {"errors"},
    "_text": set(),
    "_patterns": set(),
    "_cache": set(),
    "_workers": {"errors"},
    "docs": set(),
    "model": {"errors", "_text"},
    "thread_tree": CORE | {"policy"},
    "copies": {"core", "sources"},
    "key_file": {"errors", "_files"},
    "grpc_status": {"errors"},
    "grpc_failure": {"errors", "grpc_status"},
    "grpc_health": set(),
    # Pure.
    "core": CORE,
    "policy": CORE | {"policy", "_files"},
    "exchange": PURE | {"exchange", "store.interface"},
    "wire": PURE | {"wire"},
    "render": PURE | {"render"},
    "mail_text": CORE | {"mail_text", "render"},  # of render: what makes text safe to show
    # With input and output.
    "sources": CORE | {"policy", "sources", "_files", "_workers"},
    "store": CORE | {"policy", "store", "_files"},
    "testing": CORE | {"policy", "store"},
    "index": PURE | {"index", "store", "sources", "copies", "key_file", "_files"},
    "archive_json": PURE | {"copies", "render"},
    "archive": PURE | {"sources", "copies", "archive_json", "_workers"},
    "tls": PURE | {"tls", "key_file", "grpc_status", "_files"},
    "client": PURE | {"client", "wire", "tls", "grpc_status"},
    "server": PURE | {"", "server", "wire", "tls", "index", "store", "_files", *GRPC},
    "peering": PURE | {"", "peering", "exchange", "wire", "tls", "index", "store", "_files", *GRPC},
    # Pages are made by the library alone; over HTTP they share the readers and the limits of the server.
    "web": PURE
    | {"", "web", "index", "render", "mail_text", "tls", "_files"}
    | {"server.call_cost", "server.client_limits", "server.limited_client", "server.reader_pool"},
    # Mail that is handed over goes through an ingest; its socket is made as that of the server.
    "delivery": PURE | {"", "delivery", "index", "sources", "tls", "_files", "server.socket_file"},
    # Mailman loads it into its own process: it needs no more than names and links.
    "mailman_archiver": {"core", "web.links", "_files"},
    "compare": PURE | {"index", "wire", "client"},
    "analysis": PURE | {"analysis", "sources", "store", "index", "render"},
    "demo": PURE | {"demo", "archive", "index", "client", "server", "render", "docs", "_files"},
    "": {"archive", "errors", "index", "client", "model"},  # weft/__init__.py
    "__main__": {"cli"},
}
"""What each package may import of Weft, by package or by module; the cli may import everything."""

STANDARD = {
    "array", "base64", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools",
    "json", "math", "operator", "re", "struct", "types", "typing",
}  # fmt: skip
MAY_USE = {
    # webencodings: a table of labels of charsets, for display; nothing that is hashed depends on it.
    "core": STANDARD | {"binascii", "datetime", "itertools"}
    | {"cryptography", "google.protobuf", "stringzilla", "webencodings"},
    "exchange": STANDARD | {"google.protobuf"},
    "wire": STANDARD | {"datetime", "google.protobuf"},
    "mail_text": STANDARD | {"binascii", "email.utils", "html"},
}  # fmt: skip
"""What the pure packages may import from elsewhere, with all that is below it."""

IMPURE_BUILTINS = {"__import__", "breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"}
"""``hash`` and ``id`` differ from run to run, so nothing that servers must agree on may come of them."""
IMPURE_METHODS = {"generate", "now", "today", "urandom", "utcnow"}

SQL = re.compile(
    r"\bSELECT\s|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\bCREATE\s+(TEMP\w*\s+)?TABLE\b"
    r"|\bPRAGMA\b|\bBEGIN\s+(IMMEDIATE|DEFERRED)\b"
)

BANNED = {
    "answerer", "answering", "asker", "asking", "catching", "checking", "chronicle", "covering", "desk", "exchanging",
    "explaining", "giver", "giving", "hearing", "keeping", "loom", "octet", "octets", "offering", "overlay", "reading",
    "resolving", "searching", "seeker", "seeking", "shaken", "sharing", "strangers", "taker", "taking", "talk", "talks",
    "teller", "telling", "visits", "wanting", "weaver", "weaving", "workplace", "woven",
}  # fmt: skip
"""Words that have given way to those of the field, in names of modules, classes and public functions."""

HEAVY = ("networkx", "grpc", "sqlite_utils", "sqlite3", "google.protobuf", "cryptography", "asyncio", "dulwich")


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
OURS = [name for name in MODULES if not name.startswith("weft.v1")]


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
            assert node.level == 0, f"{name} has a relative import, which no search for the name finds"
            yield from (imported(node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in MODULES:
            yield from {node.value} - {"weft"}  # "weft" alone is also the name of a profile


def imported(module: str, name: str) -> str:
    """What ``from module import name`` imports: a module of ours, or else the module itself."""
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


def within(name: str, allowed: set[str]) -> bool:
    """Whether a module is one of ``allowed`` or below one of them."""
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def against_the_direction(name: str) -> set[str]:
    """The modules of ours that a module imports and may not."""
    allowed = MAY_IMPORT[room(name)]
    ours = {other for other in imports(name) if within(other, {"weft"})}
    return {other for other in ours if room(other) not in allowed and other.removeprefix("weft.") not in allowed}


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) != "cli"])
def test_no_module_imports_against_the_direction(name: str) -> None:
    assert room(name) in MAY_IMPORT, f"say in MAY_IMPORT where {name} stands"
    wrong = against_the_direction(name)
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


def test_nothing_but_the_entry_point_imports_the_command_line() -> None:
    found = {name for name in MODULES if room(name) != "cli" and "cli" in map(room, imports(name))}
    assert found == {"weft.__main__"}


def test_no_package_imports_a_private_module_of_another() -> None:
    wrong = {
        (name, other)
        for name in OURS
        for other in imports(name)
        if other in MODULES and "._" in other and other != "weft.__main__"
        if not within(name, {other.partition("._")[0]})
    }
    assert not wrong


def test_sql_stands_in_the_store_and_the_index_alone() -> None:
    assert not {name for name in OURS if room(name) not in {"store", "index"} and any(map(SQL.search, texts(name)))}


def texts(name: str) -> Iterator[str]:
    """The strings of a module, without its docstrings."""
    found = tree(name)
    docs = {id(node.value) for node in ast.walk(found) if isinstance(node, ast.Expr)}
    for node in ast.walk(found):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_public_class_has_the_name_of_another() -> None:
    names = Counter(node.name for name in OURS for node in tree(name).body if isinstance(node, ast.ClassDef))
    assert not {name for name, times in names.items() if times > 1 and not name.startswith("_")}


def test_names_are_made_of_the_words_of_the_field() -> None:
    assert not {f"{name}: {word}" for name in OURS for word in names_of(name) if words(word) & BANNED}


def names_of(name: str) -> Iterator[str]:
    """The last part of a module's name, its classes, and the public functions and methods in it."""
    yield name.rpartition(".")[2]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from [node.name] * (not node.name.startswith("_"))


def words(name: str) -> set[str]:
    """The words that a name is made of, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in MAY_USE])
def test_pure_packages_import_nothing_that_reaches_outside(name: str) -> None:
    allowed = MAY_USE[room(name)] | {"__future__", "weft"}
    wrong = {other for other in imports(name) if not within(other, allowed)}
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in MAY_USE])
def test_pure_packages_call_nothing_that_reads_files_clocks_or_randomness(name: str) -> None:
    called = [node.func for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    wrong = {function.id for function in called if isinstance(function, ast.Name)} & IMPURE_BUILTINS
    wrong |= {function.attr for function in called if isinstance(function, ast.Attribute)} & IMPURE_METHODS
    assert not wrong, f"{name} may not call {', '.join(sorted(wrong))}"


def test_the_reading_of_imports_finds_them() -> None:
    assert "weft.core.forest" in set(imports("weft.archive"))
    assert "networkx" in set(imports("weft.model")), "also inside functions"
    assert "weft.render.json" in set(imports("weft.render")), "also by name"
    assert {"weft.archive", "weft.model"} <= set(imports("weft"))
    assert {"weft.core.claim", "weft.sources.mbox", "weft.cli.commands.rebuild"} <= set(MODULES)
    assert words("ForestBuilder") == {"forest", "builder"}
    assert words("MAX_ID_BYTES") == {"max", "id", "bytes"}
    assert any(map(SQL.search, texts("weft.store.schema"))) or any(map(SQL.search, texts("weft.store.sqlite")))


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
