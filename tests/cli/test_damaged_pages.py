"""Damaged pages of an index: each ends in an index that is whole again, or in one instruction that works."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.cli.command_runner import DRAFTS, OPS
from tests.cli.server_home import Home
from tests.factories import mail

PAGE = 8192


def damage(index: Path, number: int, random: Random) -> None:
    """Overwrite one page (from 0), or change bits in it."""
    with index.open("r+b") as file:
        file.seek(number * PAGE)
        data = bytearray(file.read(PAGE))
        kind = random.choice(("zeros", "noise", "bits"))
        if kind == "zeros":
            data = bytearray(PAGE)
        elif kind == "noise":
            data = bytearray(random.randbytes(PAGE))
        else:
            for _ in range(20):
                data[random.randrange(PAGE)] ^= 1 << random.randrange(8)
        file.seek(number * PAGE)
        file.write(data)


def mended(home: Home, sources: tuple[Path, ...]) -> None:
    """Repair it, follow the instruction if it says that it cannot, and ingest again; fails unless all is whole then."""
    before = home.weft("export", "--json").out
    random = Random(home.path.name)
    pages = home.index.stat().st_size // PAGE
    damage(home.index, int(home.path.name) % pages if home.path.name.isdigit() else 0, random)
    ran = home.weft("check", "--repair")
    if ran.code == 1:
        [line] = ran.err
        steps = line.partition("with the same key: ")[2].partition("; then")[0]
        assert steps.startswith("mv "), line
        subprocess.run(steps, shell=True, check=True)
    else:
        assert ran.code in (0, 3), ran.err
    again = home.weft("ingest", *sources)
    assert again.code == 0, (ran.err, again.err)
    assert home.weft("check").err == ["weft: nothing is wrong"], (ran.text, ran.err)
    assert home.weft("export", "--json").out == before


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("whole"))
    assert home.weft("ingest", "-q", DRAFTS, OPS).code == 0
    return home


@pytest.mark.parametrize("number", [0, 1, *range(2, 60, 5)])
def test_a_damaged_page_is_mended_or_there_is_a_way(whole: Home, tmp_path: Path, number: int) -> None:
    mended(whole.copy_to(tmp_path / str(number)), (DRAFTS, OPS))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path]:
    """An index whose tables have pages that lead to others."""
    path = tmp_path_factory.mktemp("large")
    file = path / "large.mbox"
    file.write_bytes(
        b"".join(
            mail(f"m{number}@x", [f"m{number // 3}@x"] * (number > 2), subject=f"subject {number} " + "word " * 20)
            for number in range(1500)
        )
    )
    home = Home(path / "home")
    home.path.mkdir()
    assert home.weft("ingest", "-q", f"large={file}").code == 0
    return home, file


@pytest.mark.slow
@pytest.mark.parametrize("number", range(60))
def test_sixty_damaged_pages(large: tuple[Home, Path], tmp_path: Path, number: int) -> None:
    home, file = large
    pages = home.index.stat().st_size // PAGE
    place = number if number < 4 else Random(number).randrange(pages)
    mended(home.copy_to(tmp_path / str(place)), (file,))


def test_the_damaged_index_stays_beside_the_new_one(whole: Home, tmp_path: Path) -> None:
    home = whole.copy_to(tmp_path / "home")
    data = bytearray(home.index.read_bytes())
    data[PAGE * 2 : PAGE * 40] = bytes(PAGE * 38)
    home.index.write_bytes(data)
    ran = home.weft("check", "--repair")
    assert ran.code == 3
    assert any("the damaged one is" in line for line in ran.err)
    assert (home.path / "index.db.damaged").read_bytes() == data
    shutil.copy(home.path / "index.db.damaged", home.index)
    home.weft("check", "--repair")
    assert (home.path / "index.db.damaged-1").exists()
