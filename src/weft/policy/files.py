"""Where things lie: the index, its key and the policy; a flag wins over the environment, that over the default.

The origin's key lies beside the index, as ``<index>.key``: who speaks and what was said belong together, and are
backed up together.  Where a service manager hands it over (`key_path`), it is kept apart.  The policy is one TOML file,
read with `tomllib`; it is only written by commands that say so.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from weft.errors import PolicyError, UsageError
from weft.policy.rules import Policy, parse_policy


def index_path(flag: str | None = None) -> Path:
    """The path of the index: the flag, else ``WEFT_INDEX``, else ``$XDG_DATA_HOME/weft/index.db``."""
    chosen = flag or os.environ.get("WEFT_INDEX")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_DATA_HOME") or _home("--index") / ".local" / "share"
    return Path(home) / "weft" / "index.db"


def config_path(flag: str | None = None) -> Path:
    """The path of the policy: the flag, else ``WEFT_CONFIG``, else ``$XDG_CONFIG_HOME/weft/config.toml``."""
    chosen = flag or os.environ.get("WEFT_CONFIG")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_CONFIG_HOME") or _home("--config") / ".config"
    return Path(home) / "weft" / "config.toml"


def _home(flag: str) -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise UsageError(f"this user has no home folder; name a file with {flag}") from None


CREDENTIAL = "weft.key"
"""The name under which a service manager hands over the key."""


def key_path(index: Path) -> Path:
    """The key file that belongs to an index: what a service manager hands over, else the file beside the index.

    A unit of systemd with ``LoadCredential=weft.key:FILE`` has it in ``$CREDENTIALS_DIRECTORY``.
    """
    return credential() or index.with_name(index.name + ".key")


def credential() -> Path | None:
    """The key that a service manager hands over; None if there is none."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder, CREDENTIAL) if folder else None
    return path if path is not None and path.exists() else None


def load_index_policy(path: Path, own: bytes | None) -> Policy:
    """The policy in a TOML file, for an index; `PolicyError` also if it cannot be that of one, or is missing."""
    policy = load_policy(path, own, required=True)
    if policy.view.subject_join:
        raise PolicyError(f"{path}: view.subject_join: an index cannot join by subject")
    return policy


def load_policy(path: Path, own: bytes | None, *, required: bool = False) -> Policy:
    """The policy in a TOML file; the default, which admits only our own feeds, if there is no file.

    `PolicyError` names what is wrong; with ``required`` also that the file is missing.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if required:
            raise PolicyError(f"{path}: there is no such policy file") from None
        return Policy(own)
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error
    try:
        tables = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: {error}; mend the file") from error
    try:
        return parse_policy(tables, own)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error
