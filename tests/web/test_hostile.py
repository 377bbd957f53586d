"""Mail that wants to be markup, a header or a link of somebody else: all of it is text on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.index.factories import open_index
from tests.web.web_harness import SHOWING, Browser, Document, site
from weft.sources.interface import NoteLog
from weft.sources.mbox import MboxFile
from weft.web.links import Links
from weft.web.templating import SECURITY

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</pre></div></textarea></title><script src=//evil.example/x.js></script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '" onmouseover="alert(1)" x="',
    "javascript:alert(1)//",
    "{{ 7*7 }}{% include 'base.html' %}",
    "<!--#exec cmd='id'--><!-- x",
    "]]><![CDATA[<x>",
    "&lt;b&gt;&#60;b&#62;",
    "\u202eevil\u2066\u2069",
    "<style>body{display:none}</style>",
    '<base href="//evil.example/">',
    '<meta http-equiv="refresh" content="0;url=//evil.example/">',
    "<a href='data:text/html,x'>click</a>",
    "<form action=//evil.example><input name=q>",
)
LINKS = (
    'http://evil.example/"onmouseover="alert(1)', "https://evil.example/<script>alert(1)</script>",
    "https://evil.example/'onclick='alert(1)", "javascript://evil.example/%0aalert(1)", "http://[::1]/x", "https://",
    "http://evil.example/\u202efdp.exe", "https://a.example/(b)c).", "data:text/html,<script>alert(1)</script>",
)  # fmt: skip
ELEMENTS = {
    "html", "head", "meta", "title", "link", "body", "main", "header", "footer", "nav", "section", "article", "h1",
    "h2", "h3", "p", "div", "span", "ul", "li", "dl", "dt", "dd", "b", "code", "time", "details", "summary", "a",
    "table", "thead", "tbody", "tr", "th", "td", "form", "label", "input", "button", "svg", "g", "rect", "path",
    "circle", "polygon", "text",
}  # fmt: skip
OURS = re.compile(r"[a-zA-Z0-9_./:,;%#?=&@+$!~*\- ]*")
RELATIVE = re.compile(r"(\.\./\.\./)?([a-z0-9/-]+\.html(#m-[0-9a-f]+)?|style\.css\?v=[0-9a-f]+)")
FREE = {"aria-label", "value", "content", "title", "d", "viewbox", "transform", "href", "xmlns"}


def attack_mail(number: int, attack: str) -> bytes:
    """A mail with an attack in every place that people see."""
    name = attack.encode()
    boundary = b"b%d" % number
    return b"\n".join(
        [
            b"From mboxrd@z Thu Jan  1 00:00:00 1970",
            b"Message-ID: <%d-%s@x>" % (number, name.replace(b">", b"").replace(b"<", b"").replace(b" ", b"")),
            b"From: %s <ann@example.org>" % name,
            b"Date: %s" % name,
            b"Subject: %s" % name,
            b"References: <%s>" % b"ghost-%d\"onclick=alert(1)@x" % number,
            b"Archived-At: <javascript:alert(%d)>" % number,
            b"Content-Type: multipart/mixed; boundary=%s" % boundary,
            b"",
            b"--" + boundary,
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            name,
            b"> " + name,
            *(one.encode() for one in LINKS),
            b"--" + boundary,
            b"Content-Type: text/html; charset=\"%s\"" % name.replace(b'"', b""),
            b"",
            b"<p>%s</p>" % name,
            b"--" + boundary,
            b"Content-Type: application/x-%s" % name.replace(b"/", b""),
            b"Content-Disposition: attachment; filename=\"%s\"" % name.replace(b'"', b'\\"'),
            b"",
            b"x",
            b"--" + boundary + b"--",
            b"",
            b"",
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, list[str]]]:
    """Pages over such mail, on a list whose name is an attack too, and the ids of its threads."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "a.mbox").write_bytes(b"".join(attack_mail(*one) for one in enumerate(ATTACKS)))
    with open_index(folder) as index:
        for name in ('li"st<b>&', "l'x?y#%2F", ".."):
            index.ingest_sources([MboxFile(str(folder / "a.mbox"), name)], NoteLog())
        roots = [one.root for one in index.summaries(limit=100)]
    with site(folder / "index.db", folder / "config.toml", SHOWING) as browser:
        yield browser, roots


def check(document: Document, *, static: bool = False) -> None:
    """That all markup is of our own making.  ``static``: of a page in a file, whose links are relative."""
    for element in document.elements:
        assert element.name in ELEMENTS, element
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            assert name != "style", element
            assert name in FREE or OURS.fullmatch(value or ""), (element.name, name, value)
        for name in ("href", "action", "src"):
            link = element.attributes.get(name) or "/"
            if static and re.fullmatch(
                r"(\.\./\.\./)?([a-z0-9/-]+\.html(#m-[0-9a-f]+)?|style\.css\?v=[0-9a-f]+)", link
            ):
                continue
            assert link.startswith(("/", "#", "https://", "http://")), link
            assert not link.startswith("//"), link
            if link.startswith("http") and element.name == "a":
                assert {"nofollow", "noopener"} <= set((element.attributes["rel"] or "").split())
    assert "49" not in [one.text for one in document.all("h1")], "templates are not run"


def test_no_attack_is_markup_on_any_page(hostile: tuple[Browser, list[str]]) -> None:
    browser, roots = hostile
    waiting, seen = ["/", "/about", "/missing/", "/l/", *map(Links().thread, roots)], set[str]()
    while waiting:
        path = waiting.pop()
        answer = browser.get(path)
        assert answer.status in (200, 404), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        kind = answer.headers["content-type"]
        if kind.startswith(("application/atom", "image/svg")):
            ElementTree.fromstring(answer.content)
            assert b"<script" not in answer.content
        if not kind.startswith("text/html"):
            assert kind.split(";")[0] in {"text/plain", "application/json", "application/mbox", "image/svg+xml",
                                          "application/atom+xml"}  # fmt: skip
            continue
        assert answer.headers["content-security-policy"] == SECURITY
        document = Document(answer.text)
        check(document)
        for link in document.links():
            target = link.partition("#")[0]
            if target.startswith("/") and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) > 6 * len(ATTACKS)


def test_every_attack_is_shown_as_it_stands(hostile: tuple[Browser, list[str]]) -> None:
    browser, roots = hostile
    texts = "".join(Document(browser.get(Links().thread(root)).text).all("main")[0].text for root in roots)
    for attack in ATTACKS:
        if attack.isprintable():
            assert attack in texts, attack
    assert "<U+202E>evil<U+2066>" in texts


def test_links_out_of_mail_show_where_they_lead(hostile: tuple[Browser, list[str]]) -> None:
    browser, roots = hostile
    document = Document(browser.get(Links().thread(roots[0])).text)
    out = [one for one in document.all("a") if "ugc" in (one.attributes.get("rel") or "")]
    assert out
    assert all(one.attributes["href"] == one.text for one in out)
    assert {one.text for one in out} == {
        "http://evil.example/", "https://evil.example/", "https://evil.example/'onclick='alert(1)", "http://[::1]/x", "https://a.example/(b)c",
    } | {one.text for one in out if one.text.startswith("http://evil.example/<U+")}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_asked_for_is_no_markup_either(hostile: tuple[Browser, list[str]], attack: str) -> None:
    browser, _ = hostile
    links = Links()
    for path in (links.thread(attack), links.list(attack), links.search(q=attack), links.message(attack),
                 links.list("", after=attack), links.list("", month=attack), links.feed(attack),
                 "/" + links.search(q=attack)[8:]):  # fmt: skip
        answer = browser.get(path)
        assert answer.headers["content-security-policy"] == SECURITY
        assert not set("\r\n") & set("".join(answer.headers.values()))
        if answer.status != 301:
            check(Document(answer.text))


@pytest.mark.parametrize(
    "name", ["x\r\nSet-Cookie: a=b", "x\nLocation: //evil.example", "//evil.example/x", "\\\\evil"]
)
def test_an_id_makes_no_header_and_leads_to_no_other_host(hostile: tuple[Browser, list[str]], name: str) -> None:
    browser, _ = hostile
    for path in (
        Links().thread(name),
        Links().thread(name).rstrip("/"),
        f"/x/{Links().thread(name)[3:]}",
        f"/{name[:1]}{name}",
    ):
        answer = browser.get(path.replace("\r", "%0D").replace("\n", "%0A"))
        assert "set-cookie" not in answer.headers
        location = answer.headers.get("location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
