"""The page: all of the report is on it, nothing comes from elsewhere or runs, and a browser opens it from disk."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from tests.analysis.factories import Letter, corpus_of, in_order, letter_boxes, reply
from tests.analysis.test_figures import HOSTILE
from tests.browser import needs_browser, opened, photographed
from tests.examples import examples
from tests.factories import FIXTURES
from weft.analysis.arrival_order import arrival
from weft.analysis.authority_models import models
from weft.analysis.corpus import Corpus
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.crossposts import report
from weft.analysis.figures import figures
from weft.analysis.report_html import spoken, write_page
from weft.analysis.report_tables import MOST_PAIRS
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

CORPORA = os.environ.get("WEFT_CORPORA")
FREE = {"title", "aria-label", "content"}
"""Attributes that may hold text; all others hold numbers and words of our own."""


class Page(HTMLParser):
    """A page as a browser reads it: its start tags, and of each table its caption and its rows of cells."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "rect", "path", "circle", "polygon"}:
            self.open.append(tag)
        if tag == "caption":
            self.rows = []
            self.caption = ""
        elif tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            assert self.caption not in self.tables, "each table says what it is"
            self.tables[self.caption] = self.rows

    def handle_data(self, data: str) -> None:
        if "caption" in self.open:
            self.caption += data
        elif "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def written(corpus: Corpus) -> str:
    crossposts, file = report(corpus), BytesIO()
    write_page(corpus, crossposts, models(corpus), arrival(corpus, 2, 1), figures(corpus, crossposts), file)
    return file.getvalue().decode()


def read(path: Path) -> Corpus:
    log = NoteLog()
    return corpus_of_sources(discover([str(path)], log), log)


@pytest.fixture(scope="module")
def story() -> str:
    return written(read(FIXTURES / "story"))


def test_the_tables_hold_the_numbers_of_the_report(story: str) -> None:
    tables = Page(story).tables
    assert tables["Messages of its own threads"][1:] == [
        ["drafts", "13", "5", "2", "3"],
        ["smtp-ops", "13", "5", "3", "2"],
        ["together", "20", "10", "5", "5"],
    ]
    assert tables["Pairs of lists that share threads"][1:] == [["drafts and smtp-ops", "1"]]
    assert ["60 % to under 70 %", "1"] in tables["Threads on several lists"]
    known = tables["What one server would know"]
    assert ["master: the root's list, on average", "15.0", "2.0", "17.0", "11.0", "0.0", "13.0"] in known
    assert ["master, told by servers that share mail", "20", "3", "20", "16", "1", "16"] in known
    assert ["Weft", "0", "0", "0", ""] in tables["What depends on the order"]
    assert ["together", "20", "26", "3", "1", "1", "1", "3", "1", "1", "1"] in tables["Threads"]
    assert ["drafts", "7", "4", "3", "3", "1", "2"] in tables["What its messages refer to and it does not hold"]
    assert len(tables["The same in words, in the order of the picture"]) == 1 + 18


def test_every_table_of_numbers_can_be_walked_through(story: str) -> None:
    page = Page(story)
    for heads in page.all("th"):
        assert heads["scope"] in {"col", "row", "colgroup"}
    for rows in page.tables.values():
        *_, columns = (len(row) for row in rows)
        assert all(len(row) == columns for row in rows if row[0] in {"drafts", "smtp-ops", "together"})
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_the_page_says_what_the_report_says_in_words(story: str) -> None:
    text = re.sub(r"<[^>]*>", "", story).replace("&#x27;", "'")
    for sentence in (
        "Of these, not the same on all of their lists: 1; whole on no list: 1.",
        "No thread falls apart by that: the list's own references connect what it holds of it.",
        "It never learns of 1 of these (2 messages): none of its mail names an id of them.",
        "the textbook gives 0 messages another parent than Weft.",
    ):
        assert sentence in text


def test_sentences_are_told_from_tables() -> None:
    lines = ["* one and", "  its rest", "* two", "", "A table", "* list  1", "", "", "  more  2", "", "* three"]
    assert spoken(lines) == ["one and its rest", "two", "three"]


@settings(max_examples=examples(30), deadline=None)
@given(letter_boxes)
def test_nothing_in_it_comes_from_elsewhere_or_runs(box: list[Letter]) -> None:
    document = written(corpus_of(box))
    page = Page(document)
    assert not page.open
    anchors = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "img", "base"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "xlink:href"}
            assert name in FREE or re.fullmatch(r"[-#a-zA-Z0-9 .,:/()=%]*", value or ""), (name, value)
        assert "href" not in attributes or attributes["href"] in anchors
    for picture in re.findall(r"<svg.*?</svg>", document, re.DOTALL):
        ElementTree.fromstring(picture)


def test_the_policy_forbids_all_but_the_one_style_sheet(story: str) -> None:
    [style] = re.findall(r"<style>(.*?)</style>", story, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    [policy] = [one["content"] for one in Page(story).all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert "url(" not in style
    assert "import" not in style


def test_hostile_names_of_lists_are_text() -> None:
    document = written(in_order([(name, reply("a")) for name in HOSTILE] + [("x", reply("b", "a"))]))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ufffe]", document)
    assert "script>" not in document
    rows = Page(document).tables["Messages of its own threads"]
    assert {"a<U+001B>[2J<U+202E>b", "\\xFF<U+FFFE>", "</text><script>alert(1)</script>"} <= {row[0] for row in rows}


def test_of_many_pairs_those_that_share_most_are_named() -> None:
    copies = [(f"list{one}", reply(f"m{one % 2}")) for one in range(18)]
    [(caption, rows)] = [
        (caption, rows) for caption, rows in Page(written(in_order(copies))).tables.items() if "Pairs" in caption
    ]
    assert caption == "Pairs of lists that share threads (42 more pairs not named)"
    assert len(rows) == 1 + MOST_PAIRS


def test_one_list_and_no_mail_make_a_page_that_says_so() -> None:
    one = written(in_order([("x", reply("a"))]))
    assert "With one list there is nothing to compare" in one
    assert "If one server kept the thread" not in one
    assert "There is no message." in written(in_order([]))


@needs_browser
def test_a_browser_shows_lanes_and_tables_and_is_asked_for_nothing(story: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(story)
    found = opened(page)
    assert found.console == [], "what the policy forbids would be said here"
    assert found.dom.count("<svg ") == 4
    assert 'class="band c1"' in found.dom, "lanes"
    assert len(re.findall("<caption>", found.dom)) == 10

    page.write_text(story.replace("</main>", '<img src="http://127.0.0.1:9/x"><i style="color:red">x</i></main>'))
    assert sum("Content Security Policy" in line for line in opened(page).console) == 2, "it would be said"


@needs_browser
@pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_the_page_of_real_lists_from_disk(scheme: str, tmp_path: Path) -> None:
    page = tmp_path / "twisted.html"
    page.write_text(written(read(Path(CORPORA or "") / "twisted")))
    dom = opened(page).dom
    assert dom.count("<svg ") == 4
    assert 'class="band c1"' in dom
    assert re.search(r"<td>146</td><td>146</td><td>102</td><td>40</td>", dom)
    picture = photographed(page, tmp_path / f"twisted-{scheme}.png", (1200, 3200), dark=scheme == "dark")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 100_000, "an empty page of this size has less than 30,000 bytes"
