"""A server's home in a temporary folder: its index, key and policy; and ``weft`` run on it in this process.

In this process because a test of one command takes several runs; what needs a process of its own (signals, terminals)
starts one with the same `Home.env`.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.cli import command_runner
from tests.cli.command_runner import Ran
from weft.cli import main

__all__ = ["Home"]


@dataclass(frozen=True, slots=True)
class Home:
    """Where one server keeps its things."""

    path: Path

    @property
    def index(self) -> Path:
        return self.path / "index.db"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def env(self) -> dict[str, str]:
        """What makes ``weft`` use this home."""
        return {
            "WEFT_INDEX": str(self.index),
            "WEFT_CONFIG": str(self.config),
            "XDG_DATA_HOME": str(self.path / "data"),
            "XDG_CONFIG_HOME": str(self.path / "config"),
        }

    def weft(self, *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] = {}) -> Ran:
        """Run ``weft`` to its end."""
        written, said = io.BytesIO(), io.BytesIO()
        out, err = io.TextIOWrapper(written, "utf-8"), io.TextIOWrapper(said, "utf-8", "backslashreplace")
        with (
            patch.object(sys, "argv", ["weft", *map(str, arguments)]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
            patch.object(sys, "stdout", out),
            patch.object(sys, "stderr", err),
            patch.dict(os.environ, command_runner.environment(**{**self.env, **env}), clear=True),
        ):
            code = main._run(debug=False)
            out.flush()
            err.flush()
        return Ran(code, written.getvalue(), said.getvalue().decode().splitlines())

    def process(self, *arguments: str | Path) -> Ran:
        """The same in a process of its own, where nothing that is still open outlives it."""
        return command_runner.weft(*arguments, env=self.env)

    def copy_to(self, path: Path) -> Home:
        """The same home somewhere else."""
        shutil.copytree(self.path, path)
        return Home(path)
