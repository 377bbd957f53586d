"""The site as files: whole, linked, the same as over HTTP, and written again only where threads have changed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.cli.server_home import Home
from tests.factories import FIXTURES, mail
from tests.index.factories import open_index, write
from tests.web.test_hostile import ATTACKS, attack_mail, check
from tests.web.web_harness import Document
from weft.render.lanes.svg import anchor
from weft.sources.interface import NoteLog
from weft.sources.mbox import MboxFile
from weft.web.settings import PageSettings
from weft.web.static_site import SiteReport, SiteWriter, thread_file

ROOT = "20030210035225.GA1107@aldgate.example.com"
SETTINGS = PageSettings(public=True)


def written(folder: Path, site: Path) -> SiteReport:
    """Write the site of the index in a folder."""
    with open_index(folder) as index:
        return SiteWriter(index, site, SETTINGS).write()


def times(site: Path) -> dict[str, int]:
    """When each page of a thread was made: its number as a file."""
    return {str(path.relative_to(site)): path.stat().st_ino for path in site.glob("t/*/*.html")}


def check_links(site: Path) -> int:
    """That every link of every page leads to a file and an anchor in it; how many there are."""
    pages = {path: Document(path.read_text()) for path in site.rglob("*.html")}
    names = {path: {one.attributes.get("id") for one in page.elements} for path, page in pages.items()}
    found = 0
    for path, page in pages.items():
        for link in page.links():
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target in pages, f"{path} leads to {link}"
            assert not parts.fragment or parts.fragment in names[target], f"{path} leads to {link}"
            found += 1
    return found


def test_a_site_has_every_thread_and_every_link_leads_on(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        for name in ("drafts", "smtp-ops"):
            index.ingest(name, FIXTURES / "story" / f"{name}.mbox")
    site = tmp_path / "site"
    assert str(written(tmp_path, site)) == "3 threads, 3 pages of them written, 0 pages removed"
    page = Document((site / thread_file(ROOT)).read_text())
    assert len(page.all("article")) == 18
    assert "I have lurked here since the autumn" in page.all("main")[0].text
    assert not page.all("form")
    assert check_links(site) > 60
    home = Document((site / "index.html").read_text())
    assert [one.text for one in home.all("a", "name")] == ["drafts", "smtp-ops"]
    assert "What is missing" in (site / "missing.html").read_text()


def test_only_threads_that_changed_are_written_again(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", mail("a@x"), mail("b@x"), mail("c@x", ["b@x"])))
    site = tmp_path / "site"
    written(tmp_path, site)
    before = times(site)
    assert written(tmp_path, site) == SiteReport(threads=2, written=0, removed=0)
    assert times(site) == before
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "b.mbox", mail("d@x", ["a@x"], body="new text")))
    assert written(tmp_path, site) == SiteReport(threads=2, written=1, removed=0)
    after = times(site)
    assert {name for name in before if before[name] != after[name]} == {thread_file("a@x")}
    assert "new text" in (site / thread_file("a@x")).read_text()


def test_a_thread_that_grew_into_another_leads_there_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        mails = [mail("a@x"), mail("b@x", subject="secret"), mail("c@x", subject="other")]
        index.ingest("a", write(tmp_path / "a.mbox", *mails))
    site = tmp_path / "site"
    written(tmp_path, site)
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "b.mbox", mail("a@x", ["above@x"]), mail("above@x")))
        index.retract(["b@x"])
        roots = {one.root for one in index.summaries()}
    report = written(tmp_path, site)
    assert "b@x" not in roots
    assert not (site / thread_file("b@x")).exists()
    assert not [path for path in site.rglob("*.html") if "secret" in path.read_text()]
    assert report.removed >= 1
    check_links(site)
    if "a@x" not in roots:
        old = (site / thread_file("a@x")).read_text()
        assert "grown together" in old
        assert 'http-equiv="refresh"' in old
        assert written(tmp_path, site).removed == 0


def test_a_long_thread_is_several_files(tmp_path: Path) -> None:
    mails = [mail("0@x", subject="long")] + [mail(f"{number}@x", [f"{number - 1}@x"]) for number in range(1, 250)]
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", *mails))
    site = tmp_path / "site"
    assert written(tmp_path, site).written == 3
    last = Document((site / thread_file("0@x", 3)).read_text())
    assert [one.attributes["id"] for one in last.all("article")] == [
        anchor(f"{number}@x") for number in range(200, 250)
    ]
    check_links(site)


def test_months_of_a_list_are_pages_and_threads_without_a_date_have_one(tmp_path: Path) -> None:
    mails = [
        mail(f"{number}@x", headers=[f"Date: 3 {month} 2003 10:{number % 60:02d}:00 +0000"])
        for month in ("Jan", "Feb") for number in (range(450) if month == "Feb" else range(1000, 1003))
    ]  # fmt: skip
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", *mails, mail("undated@x")))
    site = tmp_path / "site"
    written(tmp_path, site)
    [folder] = (site / "l").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        "2003-01.html", "2003-02-2.html", "2003-02-3.html", "2003-02.html", "index.html", "no-date.html",
    ]  # fmt: skip
    check_links(site)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    open_index(tmp_path).close()
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.html").write_text("mine")
    with pytest.raises(Exception, match="holds something else"):
        written(tmp_path, home)
    assert [path.name for path in home.iterdir()] == ["letter.html"]


def test_files_of_others_within_a_site_stay(tmp_path: Path) -> None:
    open_index(tmp_path).close()
    site = tmp_path / "site"
    written(tmp_path, site)
    (site / "robots.txt").write_text("mine")
    (site / "own").mkdir()
    (site / "own" / "page.html").write_text("mine")
    written(tmp_path, site)
    assert (site / "robots.txt").read_text() == (site / "own" / "page.html").read_text() == "mine"


def test_mail_that_wants_to_be_markup_is_text_in_files_too(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(b"".join(attack_mail(*one) for one in enumerate(ATTACKS)))
    with open_index(tmp_path) as index:
        index.ingest_sources([MboxFile(str(tmp_path / "a.mbox"), "l'x<b>..")], NoteLog())
    site = tmp_path / "site"
    written(tmp_path, site)
    for path in site.rglob("*.html"):
        check(Document(path.read_text()), static=True)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.mbox", "site", "config.toml"} | {
        path.name for path in tmp_path.glob("index.db*")
    }


def test_the_command_writes_a_site_and_says_what_it_did(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.weft("ingest", FIXTURES / "story").code == 0
    ran = home.weft("export", "--format", "site", "-o", tmp_path / "site", "--elsewhere", "none")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == ["weft: 3 threads, 3 pages of them written, 0 pages removed"]
    assert "lore.kernel.org" not in (tmp_path / "site" / thread_file(ROOT)).read_text()
    assert home.weft("export", "--format", "site", "-q", "-o", tmp_path / "site").err == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "site"], "say where with -o FOLDER"),
        (["--format", "site", "-o", "x", "--list", "drafts"], "all threads"),
        (["--show-addresses"], "add --format site"), (["--elsewhere", "none"], "add --format site"),
        (["--json", "-o", "."], "is a folder"), (["--format", "site", "-o", "config.toml"], "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    home = Home(tmp_path)
    assert home.weft("ingest", FIXTURES / "story").code == 0
    home.config.touch()
    ran = home.weft("export", *(str(tmp_path / one) if one in ("x", ".", "config.toml") else one for one in arguments))
    assert ran.code in (1, 2)
    assert said in ran.err[0]
    assert len(ran.err) == 1
