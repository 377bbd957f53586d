"""The pictures: what they count, that nothing in them overlaps or leaves its sheet, and that mail is text in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import matplotlib.image
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.factories import Letter, corpus_of, in_order, letter_boxes, reply
from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.examples import examples
from tests.factories import FIXTURES, rebuild
from weft.analysis import png as raster
from weft.analysis.bar_charts import lacks_chart, origin_chart
from weft.analysis.chart import Chart, alone
from weft.analysis.corpus import Corpus, members
from weft.analysis.corpus_forest import threads
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.crossposts import report
from weft.analysis.example_thread import FEW, MANY, choose_thread, thread_with
from weft.analysis.figures import FILES, Figures, figures
from weft.analysis.list_map import MOST, list_map
from weft.analysis.png import png
from weft.analysis.shared_threads import ListPair, Origins, origins, pairs
from weft.errors import NotFoundError, WeftError
from weft.model import Thread
from weft.render.lanes.geometry import COLUMN
from weft.render.lanes.style import LIGHT
from weft.render.sanitize import width
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

Pixels = npt.NDArray[Any]
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "rect", "style", "text", "g", "circle", "path"}
HOSTILE = ("</text><script>alert(1)</script>", "a\x1b[2J\u202eb", "\udcff\ufffe", "&amp;]]>", "名" * 40)


@pytest.fixture(scope="module")
def story() -> Corpus:
    log = NoteLog()
    return corpus_of_sources(discover([str(FIXTURES / "story")], log), log)


def drawn(corpus: Corpus, thread: str | None = None) -> Figures:
    return figures(corpus, report(corpus), thread)


def parsed(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(alone(chart))


def texts(chart: Chart) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(chart).iter(f"{SVG}text")]


def shared_by(count: int, edges: Sequence[tuple[int, int]]) -> Corpus:
    """A corpus of ``count`` lists; each edge is a thread of one message on two of them."""
    copies = [(f"list-number-{one % count:02}", reply(f"own{one}")) for one in range(count)]
    for number, edge in enumerate(edges):
        copies += [(f"list-number-{one % count:02}", reply(f"m{number}")) for one in edge]
    return in_order(copies)


def test_the_server_where_the_story_began_holds_eleven_of_sixteen_messages(story: Corpus) -> None:
    assert origins(story) == Origins(whole=0, tenths=(0, 0, 0, 0, 0, 0, 1, 0, 0, 0), root_unseen=0)
    assert pairs(story) == [ListPair(0, 1, 1)]


def test_the_kindest_of_the_lists_that_hold_the_root_is_where_a_thread_began() -> None:
    root, one, two = reply("a"), reply("b", "a"), reply("c", "a", "b")
    corpus = in_order([("x", root), ("y", root), ("y", one), ("z", two)])
    assert origins(corpus) == Origins(0, (0, 0, 0, 0, 0, 0, 1, 0, 0, 0), 0)


def test_a_thread_whose_root_nobody_holds_has_no_server_where_it_began() -> None:
    corpus = in_order([("x", reply("b", "a")), ("y", reply("c", "a"))])
    assert origins(corpus).root_unseen == origins(corpus).threads == 1


@given(letter_boxes)
def test_shares_and_pairs_are_those_that_plain_sets_give(box: list[Letter]) -> None:
    corpus = corpus_of(box)
    built, found = threads(corpus), origins(corpus)
    together = report(corpus).together.trees
    assert found.threads == together.on_several_lists
    assert found.whole <= together.on_several_lists - together.whole_on_none
    plain: dict[tuple[int, int], int] = {}
    for lists in built.lists:
        for pair in combinations(members(lists), 2):
            plain[pair] = plain.get(pair, 0) + 1
    assert {(pair.one, pair.other): pair.threads for pair in pairs(corpus)} == plain


def dateless(thread: Thread) -> list[object]:
    """All that a corpus keeps of a thread's messages: not the zones of dates."""
    return [
        message._replace(date=None, copies=tuple(copy._replace(date=None) for copy in message.copies))
        for message in thread.messages
    ]


def test_a_thread_of_a_corpus_is_the_thread_of_a_rebuild(story: Corpus) -> None:
    archive = rebuild({name: FIXTURES / "story" / f"{name}.mbox" for name in ("drafts", "smtp-ops")})
    for whole in archive.threads():
        for message in whole.messages:
            found = thread_with(story, message.id)
            assert dateless(found) == dateless(whole)
            assert found.digest == whole.digest
    assert thread_with(story, ROOT).messages[0].date == "2003-02-10T03:52:25+00:00"


def test_an_id_that_nobody_has_or_names_is_not_found(story: Corpus) -> None:
    with pytest.raises(NotFoundError, match="no message has or names"):
        thread_with(story, "nobody@nowhere")


def test_a_thread_that_nobody_holds_can_be_asked_for() -> None:
    corpus = in_order([("x", reply("m", "g1", "g2"))])
    assert [message.id for message in thread_with(corpus, "g1").messages] == ["g1", "g2", "m"]


def test_the_story_tells_most_of_its_own_threads(story: Corpus) -> None:
    thread = choose_thread(story)
    assert thread is not None
    assert thread.root == ROOT


def test_whole_nowhere_tells_more_than_size_and_a_size_that_reads_well_more_than_a_large_one() -> None:
    def driver(name: str, size: int, *lists: str) -> Iterator[tuple[str, Any]]:
        for place in range(size):
            chain = [f"{name}0"] if place else []
            yield lists[place % len(lists)], reply(f"{name}{place}", *chain)

    one_list = list(driver("a", 20, "x"))
    large = list(driver("b", MANY + 30, "x", "y"))
    good = list(driver("c", FEW, "x", "y"))
    better = list(driver("d", FEW + 2, "x", "y"))
    for copies, root in (
        (one_list, "a0"),
        (one_list + large, "b0"),
        (one_list + large + good, "c0"),
        (better + large + good, "d0"),
    ):
        for order in (copies, copies[::-1]):
            thread = choose_thread(in_order(order))
            assert thread is not None
            assert thread.root == root


def test_a_long_sub_thread_elsewhere_tells_more_than_more_lone_replies_elsewhere() -> None:
    moved = [("x", reply(f"m{one}", *(["m0"] if one else []))) for one in range(5)]
    moved += [("y", reply("m5", "m0"))] + [("y", reply(f"m{one}", "m5")) for one in (6, 7, 8)]
    scattered = [("x", reply(f"a{one}", *(["a0"] if one else []))) for one in range(6)]
    scattered += [("y", reply(f"a{one}", "a0")) for one in (6, 7, 8)]
    thread = choose_thread(in_order(scattered + moved))
    assert thread is not None
    assert thread.root == "m0"


@given(letter_boxes)
def test_some_thread_is_drawn_whenever_there_is_a_message(box: list[Letter]) -> None:
    thread = choose_thread(corpus_of(box))
    assert (thread is None) == (not box)
    assert thread is None or any(not message.ghost for message in thread.messages)


def test_every_bar_stands_beside_its_number() -> None:
    chart = origin_chart(Origins(whole=98_765, tenths=(1, 0, 0, 0, 0, 0, 0, 0, 0, 12), root_unseen=0))
    found = texts(chart)
    assert "98,765 (over 99 %): it holds all messages" in found
    assert "13 (under 1 %): it lacks messages, which other lists hold" in found
    assert found[found.index("90 to 100 %") + 1] == "12"
    assert found[found.index("0 to 10 %") + 1] == "1"
    bars = [bar for bar in parsed(chart).iter(f"{SVG}rect") if "bar" in (bar.get("class") or "").split()]
    assert all(float(bar.get("width", "0")) >= 1.5 for bar in bars), "what is little is still to be seen"


def test_what_lists_lack_is_drawn_to_scale(story: Corpus) -> None:
    chart = lacks_chart(report(story))
    assert {"13 + 5", "2 + 3", "3 + 2", "drafts", "smtp-ops"} <= set(texts(chart))
    rows = [bar for bar in parsed(chart).iter(f"{SVG}rect") if bar.get("height") == "13"]
    drawn_bars = [(bar.get("class"), bar.get("width")) for bar in rows if "track" not in (bar.get("class") or "")]
    whole = [("bar c0", "206.6"), ("bar c1", "79.4")]  # 13 and 5 of 18, on 286 pixels
    assert drawn_bars == [
        *whole, ("bar c1", "98.4"), ("hole c1", "147.6"),  # 2 and 3 of 5, on 246 pixels
        *whole, ("bar c1", "147.6"), ("hole c1", "98.4"),
    ]  # fmt: skip


def test_where_there_is_nothing_to_draw_pictures_say_so() -> None:
    nothing = drawn(in_order([]))
    alone_on_it = drawn(in_order([("x", reply("a"))]))
    for one in nothing, alone_on_it:
        assert "No thread is on two lists or more: there is nothing to compare." in texts(one.origin)
        assert "No two lists share a thread." in texts(one.map)
        assert [name for name, _ in one.files()] == list(FILES)
    assert "No list holds a message." in texts(nothing.lacks)


edges = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), min_size=1, max_size=60)


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(2, 25), edges)
def test_no_dot_and_no_label_of_the_map_covers_another(count: int, some: list[tuple[int, int]]) -> None:
    corpus = shared_by(count, [(0, 1), *some])
    root = parsed(list_map(corpus, pairs(corpus)))
    assert apart(list(boxes(root)))


def test_a_map_of_too_many_lists_shows_those_that_share_most_and_says_so() -> None:
    corpus = shared_by(80, [(0, one) for one in range(1, 80)] + [(7, 8)] * 3)
    chart = list_map(corpus, pairs(corpus))
    root = parsed(chart)
    assert len([one for one in root.iter(f"{SVG}circle") if "bar" in one.get("class", "")]) == MOST
    assert "Not drawn: 20 lists with fewer shared threads, or none." in chart.said
    assert {"list-number-00", "list-number-07"} <= set(texts(chart))
    assert apart(list(boxes(root)))


def boxes(root: ElementTree.Element) -> Iterator[tuple[float, float, float, float]]:
    """Left, top, right, bottom of all dots and of the plates below labels and numbers."""
    for one in root.iter(f"{SVG}circle"):
        if "bar" in one.get("class", ""):
            x, y, r = (float(one.get(name, "0")) for name in ("cx", "cy", "r"))
            yield x - r, y - r, x + r, y + r
    for one in root.iter(f"{SVG}rect"):
        if "plate" in one.get("class", ""):
            x, y, wide, high = (float(one.get(name, "0")) for name in ("x", "y", "width", "height"))
            yield x, y, x + wide, y + high


def apart(some: Sequence[tuple[float, float, float, float]]) -> bool:
    return all(
        one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        for one, other in combinations(some, 2)
    )


@settings(max_examples=examples(25), deadline=None)
@given(letter_boxes)
def test_nothing_leaves_its_sheet(box: list[Letter]) -> None:
    pictures = drawn(corpus_of(box))
    for chart in (pictures.origin, pictures.lacks, pictures.map):
        root = ElementTree.fromstring(f'<svg xmlns="{SVG[1:-1]}">{chart.elements}</svg>')
        for one in root.iter():
            assert 0 <= float(one.get("x", "1")) + float(one.get("width", "0")) <= chart.width
            assert 0 <= float(one.get("y", "1")) + float(one.get("height", "0")) <= chart.height
        for left, right in map(ends, root.iter(f"{SVG}text")):
            assert 0 <= left <= right <= chart.width


def ends(text: ElementTree.Element) -> tuple[float, float]:
    """Where a text begins and ends."""
    x, wide = float(text.get("x", "0")), COLUMN * width("".join(text.itertext()))
    looks = text.get("class", "").split()
    before = 1.0 if "end" in looks else 0.5 if "mid" in looks else 0.0
    return x - before * wide, x + (1 - before) * wide


def test_names_of_lists_are_cleaned_escaped_and_cut() -> None:
    corpus = in_order([(name, reply("a")) for name in HOSTILE] + [("x", reply("b", "a"))])
    pictures = drawn(corpus)
    for chart in (pictures.origin, pictures.lacks, pictures.map):
        for element in parsed(chart).iter():
            assert element.tag.removeprefix(SVG) in ELEMENTS
            for value in element.attrib.values():
                assert re.fullmatch(r"[-a-zA-Z0-9 .,:/()%]*", value)
    shown = "\n".join(texts(pictures.map))
    assert "</text><script>alert(1)</scri…" in shown
    assert "a<U+001B>[2J<U+202E>b" in shown
    assert "\\xFF<U+FFFE>" in shown
    assert "名" * 14 + "…" in shown


def test_equal_mail_gives_equal_pictures(story: Corpus) -> None:
    log = NoteLog()
    again = corpus_of_sources(discover([str(OPS), str(DRAFTS)], log), log)
    assert list(drawn(again).files()) == list(drawn(story).files())


def pixels(picture: bytes) -> Pixels:
    """Rows of pixels, each red, green, blue from 0 to 1."""
    some: Pixels = matplotlib.image.imread(BytesIO(picture), format="png")[:, :, :3]
    return some


def color(some: Pixels, x: float, y: float) -> str:
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in some[round(2 * y), round(2 * x)])


def sheet(elements: str) -> bytes:
    return alone(Chart("T", (), elements, 200, 100))


def test_a_png_is_its_svg_with_two_pixels_for_one(story: Corpus) -> None:
    for (_, document), (_, picture) in zip(*[iter(drawn(story).files())] * 2, strict=True):
        root = ElementTree.fromstring(document)
        high, wide, _ = pixels(picture).shape
        assert (wide, high) == (2 * int(root.get("width", "")), 2 * int(root.get("height", "")))


def test_a_png_shows_each_kind_of_element_where_it_stands_and_in_its_colour() -> None:
    blue, orange, green, pink = LIGHT[:4]
    some = pixels(
        png(
            sheet(
                '<rect class="bar c0" x="10" y="10" width="20" height="20"/>'
                '<circle class="dot c1" cx="60" cy="20" r="8"/>'
                '<polygon class="dot c2" points="80,10 100,10 100,30 80,30"/>'
                '<path class="link c3" stroke-width="9" d="M110 20L140 20"/>'
                '<path class="e c0" d="M10 50H20V70Q20 80 30 80C40 80 40 80 50 60"/>'
                '<path class="x halo" d="M150 20H190"/>'
                '<text class="ink b end" x="190" y="80">wwwwwwww</text>'
            )
        )
    )
    top = 54  # under the title
    assert [color(some, x, top + 20) for x in (20, 60, 90)] == [blue, orange, green]
    assert color(some, 125, top + 20) not in {pink, "#ffffff"}, "a line of half opacity"
    assert color(some, 20, top + 60) not in {"#ffffff"}
    assert [color(some, x, top + y) for x, y in ((5, 5), (45, 20), (170, 20), (30, 60))] == ["#ffffff"] * 4
    left, right = some[2 * (top + 72) : 2 * (top + 80), 250:380], some[2 * (top + 72) : 2 * (top + 80), 382:400]
    assert left.min() < 0.3
    assert right.min() == 1, "text ends where its anchor is"


def test_a_picture_that_is_too_long_is_drawn_smaller() -> None:
    high, wide, _ = pixels(png(alone(Chart("T", (), "", 60, 119_946)))).shape
    assert (wide, high) == (30, 60_000)


def test_what_the_font_of_pngs_lacks_is_a_box_and_no_failure() -> None:
    assert pixels(png(sheet('<text class="ink" x="10" y="40">\u6f22\u05d0</text>'))).min() < 0.5


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "find_spec", lambda name: None)
    with pytest.raises(WeftError, match=r"pip install 'mailweft\[plot\]'"):
        png(b"")


def test_without_numpy_the_map_says_what_to_install(monkeypatch: pytest.MonkeyPatch, story: Corpus) -> None:
    monkeypatch.setattr("weft.analysis.list_map.find_spec", lambda name: None)
    [sentence] = [text for text in texts(list_map(story, pairs(story))) if "pip" in text]
    assert sentence == "A map needs numpy, which is not installed; pip install 'mailweft[plot]'."


def test_the_story_is_drawn_as_its_export_is(story: Corpus) -> None:
    files = dict(drawn(story, ROOT).files())
    assert "has 11 of 16 messages, lacks 5; sees 7 of 15 reply edges" in files["thread.svg"].decode()
