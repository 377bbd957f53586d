"""``python -m tests.house_figures`` prints how large the modules and functions of ``src/weft`` are, and how documented.

A function has the lines from its ``def`` to its end.  A public name is a module, class, function or method without a
leading underscore in it or above it, not within a function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from statistics import median, quantiles

from tests.test_architecture import BANNED, MODULES, OURS, names_of, texts, tree, words

_PLAIN = re.compile(r"\b(nobody|octets?|cannot be meant)\b|(?<!there )\bis no (?!longer|more|other)\w+", re.IGNORECASE)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module, also those within others."""
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def public(node: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    """A module or class, and the public names in it."""
    yield node
    for one in node.body:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield from public(one)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
            yield one


def undocumented(name: str) -> list[str]:
    """The public names of a module that have no docstring."""
    return [f"{name}.{getattr(node, 'name', '')}" for node in public(tree(name)) if not ast.get_docstring(node)]


def prose(name: str) -> Iterator[str]:
    """The docstrings and the texts of a module."""
    yield from texts(name)
    for node in ast.walk(tree(name)):
        if isinstance(node, Documented) and (said := ast.get_docstring(node)):
            yield said


def main() -> None:
    """Print the figures."""
    lines = {name: len(MODULES[name].read_text().splitlines()) for name in OURS}
    sizes = [(node.end_lineno or 0) - node.lineno + 1 for name in OURS for node in functions(tree(name))]
    largest = max(lines, key=lambda name: lines[name])
    print(f"modules: {len(lines)}, median {median(lines.values()):.0f} lines, largest {largest} {lines[largest]}")
    print(
        f"functions: {len(sizes)}, median {median(sizes):.0f}, p90 {quantiles(sizes, n=10)[-1]:.0f}, max {max(sizes)}"
    )
    names = sum(1 for name in OURS if not _private(name) for _ in public(tree(name)))
    missing = [one for name in OURS if not _private(name) for one in undocumented(name)]
    print(f"public names: {names}, documented {100 * (1 - len(missing) / names):.1f} %", *missing[:10])
    banned = sum(1 for name in OURS for one in names_of(name) if words(one) & BANNED)
    print(f"banned words in names: {banned}")
    plain = sum(len(_PLAIN.findall(text)) for name in OURS for text in prose(name))
    print(f"nobody, octets, is no X, cannot be meant in docstrings and texts: {plain}")


def _private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


if __name__ == "__main__":
    main()
