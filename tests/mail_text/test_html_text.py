"""Text out of HTML."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.mail_text.html_text import MAX_QUOTES, html_lines
from weft.render.sanitize import clean


def text(html: str) -> str:
    return "\n".join((line.marks + line.text).rstrip() for line in html_lines(html))


def test_blocks_make_lines_and_quotes_make_depth() -> None:
    assert text("<p>Hello,\n world<br>again</p><blockquote>a<blockquote>b</blockquote></blockquote><div>c</div>d") == (
        "Hello, world\nagain\n\n> a\n>\n> > b\n\nc\nd"
    )
    assert text("<ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>") == (
        "* one\n* two\n\na b"
    )
    assert text("<pre>a\n  b\n\nc</pre>") == "a\n  b\n\nc"


def test_a_link_shows_where_it_leads() -> None:
    assert text('<a href="https://evil.example">https://bank.example</a>') == (
        "https://bank.example <https://evil.example>"
    )
    assert text('<a href="https://a.example/">https://a.example</a>') == "https://a.example"
    assert text('<a href="mailto:a@b.example">a@b.example</a> <a href="#x">here</a>') == "a@b.example here"
    assert text('<a href="java\nscript:x&#10;\x1by">z</a>') == "z <javascript:x<U+001B>y>"


def test_what_nobody_reads_is_left_out() -> None:
    assert text("<head><title>t</title></head><style>p {}</style><script>1 < 2; '</p>'</script>a<!-- > b -->c") == "ac"
    assert text('<img alt="a chart" src=x><img src=y>') == "[a chart]"


def test_entities_are_what_they_stand_for() -> None:
    assert text("a&nbsp;&lt;b&gt; &amp;amp; &#x41; &#8364; &#99999999999; &#x1b;") == "a <b> &amp; A € \ufffd"


@given(st.text(st.sampled_from("<>/ab!-?&#;\"'= \n\x1b\u202e"), max_size=100))
def test_whatever_the_markup_is_its_text_can_be_shown(html: str) -> None:
    for line in html_lines(html):
        assert clean(line.text) == line.text
        assert line.depth <= MAX_QUOTES


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1), st.data())
def test_words_stay_whatever_tags_stand_between_them(words: list[str], data: st.DataObject) -> None:
    tag = st.sampled_from(["<b>", "</i>", "<p>", "<br/>", "</div>", "<x y='<'>", "<!-- c -->", "<a href='#'>", "</a>"])
    html = "".join(escape(word) + " " + data.draw(tag) for word in words)
    assert text(html.replace("<x y='<'>", "<x y='z'>")).split() == " ".join(words).split()


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<a ",
        "<",
        "<!",
        "</",
        "<?",
        "&#",
        "<script>",
        "<div>",
        "<a b='",
        "<a b='\"",
        "<a href=x>",
        "&#9",
        "<pre>",
    ],
)
def test_markup_without_end_is_read_in_linear_time(piece: str) -> None:
    list(html_lines(piece * (100_000 // len(piece))))  # quadratic time would be minutes
