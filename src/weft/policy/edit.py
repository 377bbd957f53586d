"""The policy file as text that is edited: comments, order and spaces stay.

The new text is read as a policy before it takes the place of the old, in one step.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from weft._files import PRIVATE_FILE, make_folder, write_file
from weft.errors import PolicyError, WeftError
from weft.policy.rules import parse_policy


def read_text(path: Path) -> tomlkit.TOMLDocument:
    """The policy file, to be edited; an empty one if there is none."""
    try:
        return tomlkit.parse(path.read_bytes().decode() if path.exists() else "")
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise PolicyError(f"{path}: {error}; mend the file") from None


def write_text(path: Path, document: tomlkit.TOMLDocument, own: bytes | None) -> None:
    """Put it in the place of the old, if it is a policy."""
    text = tomlkit.dumps(document)
    try:
        parse_policy(tomllib.loads(text), own)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path}: {error}; mend the file") from None
    _replace(path, text.encode())


def _replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of a file in one step, with the file's mode; a link stays one."""
    target = Path(os.path.realpath(path))
    try:
        make_folder(target.parent)
        write_file(target, data, target.stat().st_mode & 0o7777 if target.exists() else PRIVATE_FILE)
    except OSError as error:
        raise WeftError(f"{path}: cannot write the policy: {error.strerror or error}") from None
