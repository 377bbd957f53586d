"""Every page of the story shows what is there, leads on, and says it to people, readers of feeds and programs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.factories import FIXTURES, mail
from tests.index.factories import open_index, write
from tests.web.web_harness import SHOWING, Browser, Document, shown, site
from weft import Index
from weft.render.lanes.svg import anchor
from weft.sources.interface import NoteLog
from weft.sources.mbox import MboxFile
from weft.web.settings import ELSEWHERE, OtherArchive, PageSettings
from weft.web.templating import SECURITY

ROOT = "20030210035225.GA1107@aldgate.example.com"
GHOST = "87smuvyw1c.fsf@okafor.example.net"
LAST = "20030210214455.GB612@duarte.example.net"
ATOM = "{http://www.w3.org/2005/Atom}"
THREADING = "{http://purl.org/syndication/thread/1.0}"


def test_the_first_page_has_all_lists_and_the_newest_threads(pages: Browser) -> None:
    page = shown(pages.get("/"))
    assert [one.text for one in page.all("a", "name")] == ["drafts", "smtp-ops"]
    assert "2 threads, 13 messages, newest 2003-02-11" in page.all("main")[0].text
    assert page.all("ul", "threads")[0].text.count("messages") == 3
    assert f"/t/{ROOT}/" in page.links()


def test_a_thread_is_whole_over_both_lists_with_its_texts_and_what_is_missing(pages: Browser) -> None:
    page = shown(pages.get(f"/t/{GHOST}/"))
    articles = page.all("article")
    assert len(articles) == 18
    assert [one.attributes["id"] for one in page.all("article", "ghost")] == [anchor(GHOST), anchor(LAST)]
    texts = [one.text for one in articles if "ghost" not in (one.attributes["class"] or "")]
    assert len(texts) == 16
    assert not any("Its text is not here" in one for one in texts)
    assert "I have lurked here since the autumn" in texts[0]
    assert "16 messages on 2 lists, 2 not seen here" in page.all("main")[0].text
    assert page.all("svg")
    assert page.all("p", "cover")[0].text == "Every list that this server admits is held whole."
    assert [one.text for one in page.all("li") if "of 16 messages" in one.text]


def test_every_link_of_every_page_leads_to_a_page_and_every_anchor_is_there(pages: Browser) -> None:
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop()
        response = pages.get(path)
        assert response.status == 200, path
        if not response.headers["content-type"].startswith("text/html"):
            continue
        page = Document(response.text)
        names = {one.attributes.get("id") for one in page.elements}
        for link in page.links():
            target, _, name = link.partition("#")
            if not target:
                assert name in names, f"{path} leads to {link}"
            elif not target.startswith("http") and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) > 40


def test_a_missing_message_leads_to_archives_that_may_have_it(story: Path) -> None:
    other = OtherArchive.parse("mine=https://mine.example.org/{id}/view?x")
    with site(story / "index.db", story / "config.toml", PageSettings(public=True, elsewhere=(other,))) as client:
        page = shown(client.get(f"/t/{GHOST}/"))
    links = [one for one in page.all("a") if (one.attributes["href"] or "").startswith("https://mine.")]
    assert links[0].attributes["href"] == f"https://mine.example.org/{GHOST}/view?x"
    assert {one.attributes["rel"] for one in links} == {"nofollow noopener"}
    assert ELSEWHERE[0].link("a/b?c@x") == "https://lore.kernel.org/all/a%2Fb%3Fc@x/"


def test_a_message_says_who_says_what(pages: Browser) -> None:
    page = shown(pages.get(f"/m/{ROOT}/"))
    text = page.all("main")[0].text
    assert "its own headers say so" in text
    assert "I have lurked here" in text
    assert "drafts, says this server" in text
    ghost = shown(pages.get(f"/m/{GHOST}/")).all("main")[0].text
    assert "nobody here has seen it; the nearest References that name it agree" in ghost
    assert "it is too weak to count" in ghost


def test_addresses_of_people_are_shown_only_where_the_operator_says_so(pages: Browser, showing: Browser) -> None:
    for path in (f"/t/{ROOT}/", f"/t/{ROOT}/thread.json", f"/t/{ROOT}/thread.atom", f"/t/{ROOT}/thread.svg"):
        hidden = pages.get(path).text
        assert "ada@aldgate" not in hidden, path
    assert "drafts@…" in pages.get(f"/t/{ROOT}/").text
    assert "ada@aldgate.example.com" in showing.get(f"/t/{ROOT}/").text
    for path in (f"/m/{ROOT}/raw", f"/t/{ROOT}/thread.mbox"):
        refused = pages.get(path)
        assert refused.status == 403
        assert "shows no addresses" in refused.text
        assert showing.get(path).status == 200


def test_mail_is_given_as_it_lies(showing: Browser) -> None:
    raw = showing.get(f"/m/{ROOT}/raw")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.content in (FIXTURES / "story" / "drafts.mbox").read_bytes()
    assert b"Message-ID: <20030210035225.GA1107@aldgate.example.com>" in raw.content
    box = showing.get(f"/t/{GHOST}/thread.mbox")
    assert box.headers["content-type"] == "application/mbox"
    assert box.content.count(b"\nMessage-I") == 16
    assert box.content.startswith(b"From mboxrd@z ")


def test_a_thread_as_json_is_the_thread(pages: Browser, story: Path) -> None:
    found = json.loads(pages.get(f"/t/{GHOST}/thread.json").content)
    with Index.open(story / "index.db", policy=story / "config.toml") as index:
        thread = index.thread(GHOST)
    assert found["digest"] == thread.digest
    assert [one["id"] for one in found["messages"]] == [one.id for one in thread.messages]


def test_a_thread_as_a_picture(pages: Browser) -> None:
    found = pages.get(f"/t/{GHOST}/thread.svg")
    assert found.headers["content-type"] == "image/svg+xml"
    assert "style-src 'sha256-" in found.headers["content-security-policy"]
    ElementTree.fromstring(found.content)


def test_feeds_are_atom(story: Path) -> None:
    settings = PageSettings(public=True, public_url="https://lists.example.org/archive")
    with site(story / "index.db", story / "config.toml", settings) as client:
        thread = ElementTree.fromstring(client.get(f"/archive/t/{GHOST}/thread.atom").content)
        newest = ElementTree.fromstring(client.get("/archive/l/drafts/new.atom").content)
    entries = thread.findall(f"{ATOM}entry")
    assert len(entries) == 16
    dates = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert thread.findtext(f"{ATOM}updated") == dates[0]
    assert thread.findtext(f"{ATOM}id") == f"mid:{ROOT}"
    assert "lurked" in (entries[-1].findtext(f"{ATOM}content") or "")
    assert f"mid:{GHOST}" in {one.get("ref") for one in thread.iter(f"{THREADING}in-reply-to")}
    for feed in (thread, newest):
        for link in feed.iter(f"{ATOM}link"):
            assert (link.get("href") or "").startswith("https://lists.example.org/archive/")
    assert [one.findtext(f"{ATOM}title") for one in newest.findall(f"{ATOM}entry")] == [
        "[drafts] Introduction, and a thread index for the server", "[drafts] Which boilerplate for a -00?",
    ]  # fmt: skip
    assert (newest.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")


def test_a_list_has_months_and_pages_both_ways(tmp_path: Path) -> None:
    mails = [
        mail(
            f"{number}@x", headers=[f"Date: Mon, {number % 27 + 1} {month} 2003 10:00:00 +0000"], subject=f"s {number}"
        )
        for number in range(130)
        for month in (("Jan", "Feb", "Mar")[number % 3],)
    ]
    with open_index(tmp_path) as index:
        index.ingest_sources([MboxFile(str(write(tmp_path / "a.mbox", *mails)), "dev & core?")], NoteLog())
        every = [one.root for one in index.summaries(limit=200)]
    with site(tmp_path / "index.db", tmp_path / "config.toml") as client:
        [box] = shown(client.get("/l/dev%20%26%20core%3F/")).all("input")
        assert box.attributes["value"] == ""
        first = shown(client.get("/l/dev%20%26%20core%3F/"))
        assert client.get("/l/dev%20&%20core%3f/").content == client.get("/l/dev%20%26%20core%3F/").content
        assert [one.text.strip() for one in first.all("a") if one.text[:3] in ("Jan", "Feb", "Mar")] == [
            "Jan 44", "Feb 43", "Mar 43",
        ]  # fmt: skip
        found, page = threads_of(first), first
        pages = [found]
        while older := [one for one in page.all("a") if one.attributes.get("rel") == "next"]:
            page = shown(client.get(older[0].attributes["href"] or ""))
            pages.append(threads_of(page))
        assert sum(pages, []) == every  # noqa: RUF017 - three pages
        for expected in reversed(pages[:-1]):
            [newer] = [one for one in page.all("a") if one.attributes.get("rel") == "prev"]
            page = shown(client.get(newer.attributes["href"] or ""))
            assert threads_of(page) == expected
        assert not [one for one in page.all("a") if one.attributes.get("rel") == "prev"]
        month = shown(client.get("/l/dev%20%26%20core%3F/?month=2003-02"))
        assert len(threads_of(month)) == 43
        assert [one.text.strip() for one in month.all("a") if "aria-current" in one.attributes] == ["Feb 43"]


def threads_of(page: Document) -> list[str]:
    """The ids of the threads on a page of a list."""
    rows = [link for link in page.links() if link.startswith("/t/")]
    return [link.removeprefix("/t/").removesuffix("/") for link in rows]


def test_what_is_missing_has_a_page(pages: Browser) -> None:
    page = shown(pages.get("/missing/"))
    assert threads_of(page) == [ROOT]
    assert "2 not seen here" in page.all("main")[0].text


def test_a_search_leads_to_messages_and_says_what_it_understands(pages: Browser) -> None:
    found = shown(pages.get("/search?q=introduction"))
    assert [one.attributes["value"] for one in found.all("input")] == ["introduction"]
    assert len([link for link in found.links() if "#m-" in link]) == 16
    assert "No message has all of these words" in pages.get("/search?q=nosuchword").text
    assert "whole, in any case" in pages.get("/search").text
    moved = pages.get(f"/search?q=%3C{GHOST}%3E")
    assert (moved.status, moved.headers["location"]) == (301, f"/t/{GHOST}/")


def test_about_says_who_states_what(pages: Browser, story: Path) -> None:
    with Index.open(story / "index.db", policy=story / "config.toml") as index:
        own = index.fingerprint
    text = shown(pages.get("/about")).all("main")[0].text
    assert own in text
    assert "this server" in text


def test_a_long_thread_has_pages_each_found_by_any_id_on_it(tmp_path: Path) -> None:
    mails = [mail("0@x", subject="long")] + [mail(f"{number}@x", [f"{number - 1}@x"]) for number in range(1, 330)]
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", *mails))
    with site(tmp_path / "index.db", tmp_path / "config.toml") as client:
        ids = []
        for number in range(1, 5):
            page = shown(client.get(f"/t/0@x/?page={number}"))
            ids += [one.attributes["id"] for one in page.all("article")]
            assert [one.text for one in page.all("h1")] == ["long"]
            assert not page.all("svg")
            assert "330 messages on 1 list" in page.all("main")[0].text
        assert ids == [anchor(f"{number}@x") for number in range(330)]
        found = shown(client.get("/t/250@x/"))
        assert anchor("250@x") in {one.attributes["id"] for one in found.all("article")}
        first = found.all("article")[0]
        assert first.attributes["id"] == anchor("200@x")
        assert f"/t/199@x/#{anchor('199@x')}" in found.links()
        assert "answers an earlier message" in first.text
        assert client.get("/t/0@x/?page=5").status == 404
        assert len(Document(client.get("/t/0@x/?page=4").text).all("article")) == 30


def test_copies_that_differ_and_edges_that_are_disputed_are_shown(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        one = [mail("a@x", subject="first"), mail("b@x"), mail("c@x", ["a@x"], body="This is one text.")]
        two = [mail("c@x", ["b@x"], body="This is quite another text.", headers=["From: eve@example.org"])]
        index.ingest("one", write(tmp_path / "one.mbox", *one))
        index.ingest("two", write(tmp_path / "two.mbox", *two))
    with site(tmp_path / "index.db", tmp_path / "config.toml", SHOWING) as client:
        text = shown(client.get("/t/c@x/")).all("main")[0].text
        assert "disputed" in text
        assert "2 variants" in text
        assert "It may answer <a@x>: its copies say so" in text
        assert "This is one text." in text
        assert "Another text under this id, on two" in text
        assert "This is quite another text." in text
        above = shown(client.get("/t/a@x/")).all("main")[0].text
        assert "contested: <c@x> may answer this" in above
        assert client.get("/m/c@x/raw?copy=2").content.count(b"another text") == 1
        assert client.get("/m/c@x/raw?copy=3").status == 404
        assert (
            len([one for one in Document(client.get("/m/c@x/").text).links() if one.endswith(("raw", "copy=2"))]) == 2
        )


@pytest.mark.parametrize("path", ["/", f"/t/{ROOT}/", "/nowhere", "/style.css", f"/m/{ROOT}/", "/search?q=a"])
def test_every_page_has_the_policy_that_forbids_all_but_its_own_style(pages: Browser, path: str) -> None:
    response = pages.get(path)
    assert response.headers["content-security-policy"] == SECURITY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in response.headers
    if response.headers["content-type"].startswith("text/html"):
        page = Document(response.text)
        assert not page.all("script")
        assert not page.all("style")
        assert not [one for one in page.elements if "style" in one.attributes]
