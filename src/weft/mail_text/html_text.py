"""The text of an HTML mail: what a reader without a browser wants of it, in one pass over the markup.

Theory of operation
-------------------
The markup is cut into tags, comments and text by searches that never look at a place twice; what cannot be a tag is
text.  Blocks make lines, quotes (``blockquote``) make depth, list items begin with ``*``, links are followed by their
address in angle brackets where it is not the text itself, since what a link says may not be where it leads.  Styles,
scripts and the head are left out.  There is no tree: elements may overlap or never end.

Libraries were measured and are not used: the standard library's `html.parser` takes 30 seconds for 200 KB of ``<!--``,
and lexbor (by selectolax) 40 seconds for 500 KB of ``<div>``, as trees of HTML have to be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

from weft._patterns import deferred
from weft.mail_text.text_lines import TextLine, clean_line

MAX_QUOTES = 20
_MAX_ADDRESS = 500
_TAG = deferred(r"<(/?)([A-Za-z][A-Za-z0-9:]{0,30}+)((?:[^<>\"']++|\"[^\"<]{0,2000}+\"|'[^'<]{0,2000}+'|[\"'])*+)>")
_ATTRIBUTE = deferred(r"([A-Za-z-]{1,30}+)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))")
_SPACE = deferred(r"[ \t\r\n\f]+")
_NUMBER = deferred(r"&#(?:0*+[0-9]{8,}+|[xX]0*+[0-9A-Fa-f]{7,}+);?")
_SKIPPED = frozenset({"head", "script", "style", "title", "template", "svg", "noscript"})
_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "center",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *(
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
            "p",
        ),
        *("pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "table", "blockquote", "dl"])


class _Page:
    """The lines that were made so far, and the one that is being made."""

    def __init__(self) -> None:
        self.lines: list[TextLine] = []
        self.quotes = 0
        self.fixed = 0
        """How many ``pre`` are open."""
        self._pieces: list[str] = []
        self._blank = False
        self.links: list[tuple[str, int]] = []
        """The addresses of open links, with the number of pieces before each."""

    def add(self, text: str) -> None:
        """Add text to the line."""
        if not self.fixed:
            self._pieces.append(_SPACE.sub(" ", text))
            return
        first, *others = text.replace("\r\n", "\n").split("\n")
        self._pieces.append(first)
        for other in others:
            self.end_line(always=True)
            self._pieces.append(other)

    def end_line(self, *, always: bool = False, blank: bool = False) -> None:
        """End the line, if there is something in it; ``blank``: an empty one has to stand before what follows."""
        text = "".join(self._pieces)
        text = text if self.fixed else _SPACE.sub(" ", text).strip(" ")
        self._pieces, self.links = [], []
        marks = "> " * self.quotes
        if text.strip() or always:
            if self._blank and self.lines:
                self.lines.append(TextLine("", "> " * min(self.quotes, self.lines[-1].depth)))
            self._blank = False
            self.lines.append(TextLine(clean_line(text), marks, self.quotes, flows=not self.fixed))
        self._blank |= blank

    def open_link(self, address: str) -> None:
        """A link begins."""
        self.links.append((address, len(self._pieces)))

    def close_link(self) -> None:
        """A link ends: its address stands behind it."""
        if not self.links:
            return
        address, before = self.links.pop()
        text = _SPACE.sub(" ", "".join(self._pieces[before:])).strip()
        bare = address.removeprefix("mailto:")
        if address and text != bare and text.rstrip("/") != address.rstrip("/") and not address.startswith("#"):
            self._pieces.append(f" <{_SPACE.sub('', address)[:_MAX_ADDRESS]}>")


def html_lines(html: str) -> Iterator[TextLine]:
    """The lines of a page, cleaned; none longer than the page."""
    page = _Page()
    skipped = ""
    for tag, closing, text, attributes in _tokens(html):
        if skipped:
            if closing and tag == skipped:
                skipped = ""
            continue
        if not tag:
            page.add(_entities(text))
        elif tag in _SKIPPED:
            skipped = "" if closing or attributes.rstrip().endswith("/") else tag
        else:
            _apply(page, tag, attributes, closing=closing)
    page.end_line()
    return iter(page.lines)


def _apply(page: _Page, tag: str, attributes: str, *, closing: bool) -> None:
    """What a tag does to the page."""
    if tag == "br":
        page.end_line(always=True)
    elif tag == "a":
        if closing:
            page.close_link()
        else:
            page.open_link(_attribute(attributes, "href"))
    elif tag == "img" and not closing:
        described = _attribute(attributes, "alt")
        page.add(f"[{described}]" if described.strip() else "")
    elif tag in {"td", "th"}:
        page.add(" ")
    elif tag in _BLOCKS:
        page.end_line(blank=tag in _SPACED)
        if tag == "blockquote":
            page.quotes = max(0, min(MAX_QUOTES, page.quotes + (-1 if closing else 1)))
        elif tag == "pre":
            page.fixed = max(0, page.fixed + (-1 if closing else 1))
        elif tag == "li" and not closing:
            page.add("* ")
        elif tag == "hr" and not closing:
            page.add("-" * 40)
            page.end_line()


def _tokens(html: str) -> Iterator[tuple[str, bool, str, str]]:
    """(name of a tag or empty for text, whether it closes, the text, the attributes), in order."""
    place, comments = 0, True
    end = len(html)
    while place < end:
        opening = html.find("<", place)
        if opening < 0:
            opening = end
        if opening > place:
            yield "", False, html[place:opening], ""
        place = opening
        if html.startswith(("<!", "<?"), place):
            comment = html.startswith("<!--", place) and comments
            stop = html.find("-->" if comment else ">", place + 2)
            if stop < 0 and comment:
                comments = False  # none ends any more
                stop = html.find(">", place + 2)
            if stop < 0:
                return
            place = stop + (3 if comment and comments else 1)
        elif place < end:
            found = _TAG.match(html, place)
            if found:
                yield found[2].lower(), bool(found[1]), "", found[3]
                place = found.end()
            else:
                after = html.find("<", place + 1)
                after = end if after < 0 else after
                yield "", False, html[place:after], ""
                place = after


def _attribute(attributes: str, name: str) -> str:
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == name:
            return _entities(next(value for value in found.groups()[1:] if value is not None))
    return ""


def _entities(text: str) -> str:
    """Text with what its entities stand for; of numbers without end, nothing but U+FFFD."""
    if "&" not in text:
        return text
    return unescape(_NUMBER.sub("\ufffd", text)).replace("\xa0", " ")
