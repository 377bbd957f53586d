"""Where things lie: flag, environment, default."""

from __future__ import annotations

from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.policy.files import config_path, index_path

NAMES = ("WEFT_INDEX", "WEFT_CONFIG", "XDG_DATA_HOME", "XDG_CONFIG_HOME")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")


def test_each_way_to_say_it_wins_over_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert index_path() == Path("/home/ada/.local/share/weft/index.db")
    assert config_path() == Path("/home/ada/.config/weft/config.toml")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    assert (index_path(), config_path()) == (Path("/data/weft/index.db"), Path("/config/weft/config.toml"))
    monkeypatch.setenv("WEFT_INDEX", "here.db")
    monkeypatch.setenv("WEFT_CONFIG", "here.toml")
    assert (index_path(), config_path()) == (Path("here.db"), Path("here.toml"))
    assert (index_path("flag.db"), config_path("flag.toml")) == (Path("flag.db"), Path("flag.toml"))


def test_a_user_without_a_home_is_told_to_name_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(UsageError, match="--index"):
        index_path()
    with pytest.raises(UsageError, match="--config"):
        config_path()
    assert index_path("flag.db") == Path("flag.db")
