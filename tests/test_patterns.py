"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from weft._patterns import deferred


def test_a_deferred_pattern_does_what_the_compiled_one_does() -> None:
    for pattern, flags, text in ((rb"(a+)b", re.IGNORECASE, b"xAAB-ab"), (rb"\d", 0, b"a1b22")):
        late, now = deferred(pattern, flags), re.compile(pattern, flags)
        assert late.findall(text) == now.findall(text) == late.findall(text)
        assert late.sub(b"_", text) == now.sub(b"_", text)
        assert (late.pattern, late.flags, late.groups) == (now.pattern, now.flags, now.groups)
        assert late.fullmatch(text) is None


def test_a_mistake_shows_at_the_first_use() -> None:
    late = deferred("(")
    with pytest.raises(re.error):
        late.match("")


def test_every_deferred_pattern_of_the_package_compiles() -> None:
    import importlib
    import pkgutil

    import weft
    from weft._patterns import Deferred

    found = 0
    for package in ("core", "sources", "index"):
        for module in pkgutil.iter_modules([f"{weft.__path__[0]}/{package}"], f"weft.{package}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Deferred):
                    assert value.groups >= 0
                    found += 1
    assert found > 50
