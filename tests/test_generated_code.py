"""The committed code of the wire schema is what the compiler writes for it, to the byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def generated(below: Path) -> dict[str, bytes]:
    return {str(path.relative_to(below)): path.read_bytes() for path in below.glob("weft/v1/*_pb2*.py*")}


def test_the_generated_code_is_that_of_the_schema(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    subprocess.run([sys.executable, ROOT / "proto" / "generate.py", "--out", tmp_path], check=True)
    written = generated(tmp_path)
    assert "weft/v1/claim_pb2.py" in written
    assert "weft/v1/claim_pb2.pyi" in written
    assert written == generated(ROOT / "src")
