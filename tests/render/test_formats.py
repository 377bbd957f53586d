from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pytest

from weft.render import FORMATS


def modules_after(statement: str) -> list[str]:
    """What a fresh interpreter has imported after ``statement``."""
    code = f"import io, sys, weft.render\n{statement}\nprint(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_looking_at_the_formats_imports_none_of_them() -> None:
    loaded = modules_after("list(weft.render.FORMATS)")
    assert "networkx" not in loaded
    assert not [module for module in loaded if module.startswith("weft.render.")]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "graphml"])
def test_only_graphml_needs_networkx(name: str) -> None:
    assert "networkx" not in modules_after(f"weft.render.FORMATS[{name!r}].writer()(iter(()), io.BytesIO())")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_nothing_at_all_without_failing(name: str) -> None:
    file = BytesIO()
    FORMATS[name].writer()(iter(()), file)
    assert file.getvalue().decode("utf-8").count("@") == 0
    assert not file.closed
