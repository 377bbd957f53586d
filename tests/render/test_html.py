"""The page: nothing in it comes from elsewhere, nothing in it runs, and its table says what the picture shows."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings

from tests.browser import needs_browser, photographed
from tests.examples import examples
from tests.factories import FIXTURES, rebuild
from tests.render.samples import chain, ghost, hostile, message, odd, thread, threads, written
from weft.model import Coverage, Thread
from weft.render.lanes.svg import anchor

VOID = {"meta"}
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "p", "div", "ul", "li", "b", "bdi",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "small", "a",
    "svg", "g", "rect", "path", "circle", "polygon", "text",
}  # fmt: skip
FREE = {"title", "aria-label", "content"}
"""Attributes that may hold text; all others hold numbers and words of our own."""


class Page(HTMLParser):
    """A page as a browser reads it: start tags, and the text of each element of some name."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def cells(self) -> list[list[str]]:
        """The rows of all tables, without their heads."""
        width = 7
        texts = self.texts.get("td", [])
        return [texts[start : start + width] for start in range(0, len(texts), width)]


def story() -> Thread:
    archive = rebuild({name: FIXTURES / "story" / f"{name}.mbox" for name in ("drafts", "smtp-ops")})
    return archive.thread("20030210035225.GA1107@aldgate.example.com")


@settings(max_examples=examples(50), deadline=None)
@given(threads(), threads())
def test_no_element_attribute_or_link_comes_from_mail(one: Thread, other: Thread) -> None:
    page = Page(written("html", one, other))
    assert not page.open
    names = {anchor(message.id) for each in (one, other) for message in each.messages}
    for tag, attributes in page.tags:
        assert tag in ELEMENTS
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "xlink:href"}
            assert name in FREE or re.fullmatch(r"[-#a-zA-Z0-9 .,:/()=%]*", value or ""), (name, value)
        if "href" in attributes:
            assert (attributes["href"] or "").removeprefix("#") in names
    assert [attributes["id"] for tag, attributes in page.tags if tag == "tr" and "id" in attributes] == [
        anchor(message.id) for each in (one, other) for message in each.messages
    ]


@settings(max_examples=examples(50), deadline=None)
@given(threads())
def test_the_picture_in_it_is_xml(one: Thread) -> None:
    [picture] = re.findall(rb"<svg.*?</svg>", written("html", one), re.DOTALL)
    ElementTree.fromstring(picture)


def test_the_policy_forbids_all_but_the_one_style_sheet() -> None:
    page = Page(written("html", story(), odd()))
    [style] = page.texts["style"]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    [policy] = [one["content"] for tag, one in page.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert "url(" not in style
    assert "import" not in style


def test_the_policy_of_a_page_without_a_thread_allows_its_own_style_sheet() -> None:
    digest = b64encode(sha256(b"").digest())
    assert b"style-src 'sha256-" + digest + b"'" in written("html")


def test_hostile_mail_is_text() -> None:
    document = written("html", hostile()).decode()
    assert "<![CDATA[" not in document
    assert "&lt;html&gt;&amp;amp;&amp;lt;]]&gt;&lt;![CDATA[@x" in document
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066\ue000]", document)


def test_the_table_says_in_words_what_lists_could_not_see() -> None:
    rows = Page(written("html", story())).cells()
    assert len(rows) == 18
    number, date, who, answers, posted, absent, remarks = rows[4]
    assert (number, date, answers) == ("5", "2003-02-10 13:02", "4")
    assert who.startswith("Greta Olsen")
    assert (posted, absent) == ("smtp-ops", "drafts")
    assert remarks == "left drafts, which has what it answers"
    assert rows[7][6] == "what it answers is not on drafts"
    assert rows[0][6] == "only named by a reply on smtp-ops"
    assert rows[11][2] == "not seen here <87smuvyw1c.fsf@okafor.example.net>, named in 3 copies on drafts smtp-ops"
    assert "what it answers was not seen here" in rows[12][6]


def test_a_reply_leads_to_what_it_answers_and_the_picture_to_the_table() -> None:
    page = Page(written("html", thread(message("a@x"), message("b@x", "a@x", 1))))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [f"#{anchor('a@x')}", f"#{anchor('b@x')}", f"#{anchor('a@x')}"]


def test_the_picture_and_the_table_say_in_which_zone_dates_are() -> None:
    page = written("html", story()).decode()
    assert page.count("dates are in UTC") == 1
    assert page.count(">Date (UTC)</th>") == 1


def test_the_details_name_every_copy_as_its_list_saw_it() -> None:
    titles = [one.get("title") or "" for tag, one in Page(written("html", story())).tags if tag == "td"]
    [rewritten] = [title for title in titles if "on drafts: 2003-02-11 06:20" in title]
    assert "on drafts: 2003-02-11 06:20, Dmitri Halvorsen via drafts, Re: [drafts] Introduction" in rewritten
    assert "on smtp-ops: 2003-02-11 06:20, Dmitri Halvorsen, Re: Introduction" in rewritten
    assert "lists.example.org" not in "".join(titles)


def test_what_is_unusual_is_a_remark() -> None:
    remarks = [row[6] for row in Page(written("html", odd())).cells()]
    assert remarks[2] == "left ietf, which has what it answers; 3 different contents under this id"
    assert remarks[3] == "joined by an equal subject only"
    assert remarks[4] == "contested; rival parents: <a@x> or no parent; joined by an equal subject only"
    assert remarks[5] == "cut to end a cycle; its parent was <f@x>"


def test_each_list_has_a_line_of_what_it_lacks() -> None:
    assert Page(written("html", story())).texts["li"] == [
        "drafts has 11 of 16 messages, lacks 5; sees 7 of 15 reply edges",
        "smtp-ops has 11 of 16 messages, lacks 5; sees 8 of 15 reply edges",
    ]


def test_the_first_thread_gives_the_page_its_title() -> None:
    page = Page(written("html", thread(ghost("g@x"), message("a@x", "g@x", 1, subject="Tabs")), chain(2)))
    assert page.texts["title"][0] == page.texts["h1"][0] == "Tabs"
    assert page.texts["h2"] == ["Re: tabs"]


def test_an_index_says_what_was_never_asked() -> None:
    one, partly = thread(message("a@x")), Coverage(("o/git",), ("o/ietf",), ("p/*",))
    paragraphs = [
        Page(written("html", Thread(one.messages, one.digest, coverage))).texts["p"]
        for coverage in (None, partly, Coverage(("o/git",), (), ()))
    ]
    assert [len(some) for some in paragraphs] == [1, 2, 2]
    assert paragraphs[1][1] == "There may be more: in part: ietf of o; never asked: all lists of p."
    assert paragraphs[2][1] == "Every list that the policy of this server admits is held whole."


def test_no_thread_is_a_page_that_says_so() -> None:
    assert Page(written("html")).texts["p"] == ["No thread."]


@needs_browser
def test_a_browser_draws_the_story_from_disk(tmp_path: Path) -> None:
    page = tmp_path / "story.html"
    page.write_bytes(written("html", story()))
    picture = photographed(page, tmp_path / "story.png", (1300, 1000))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 50_000, "an empty page of this size has less than 10,000 bytes"
