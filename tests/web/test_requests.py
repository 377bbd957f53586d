"""Requests: any id resolves, readers who have a page are told so, and whatever else comes has its code and page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command_runner import environment
from tests.factories import FIXTURES, mail
from tests.index.factories import open_index, write
from tests.web.web_harness import PUBLIC, Browser, Document, shown, site
from weft import Index
from weft.core.handle import handle_letters
from weft.errors import UsageError
from weft.server.client_limits import ClientLedger, ClientLimits
from weft.web.links import Links, parse_segment, segment
from weft.web.mail_view import OpenMail
from weft.web.page import WebPage
from weft.web.page_cache import PageCache
from weft.web.pages import PageBuilder
from weft.web.settings import OtherArchive, PageSettings, parse_public_url
from weft.web.thread_view import ThreadPart

ROOT = "20030210035225.GA1107@aldgate.example.com"
ODD_IDS = (
    "a/b@x", "a%2Fb@x", "a?b@x", "a#b@x", "a b@x", "a&b=c;d@x", "100%@x", "\udcff\udc80@x", "\u00e4\u6f22@x", "..", ".",
    "a\\b@x", '"quoted"@x', "it's@x", "T/@x", "thread.mbox", "new.atom", "raw", "a//b@x", "/a@x", "~tilde@x", "+a+b@x",
)  # fmt: skip


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of messages with odd ids, each with a reply."""
    folder = tmp_path_factory.mktemp("odd")
    mails = [
        one
        for number, name in enumerate(ODD_IDS)
        for one in (mail(name, subject=f"subject {number}"), mail(f"reply-{number}@x", [name]))
    ]
    with open_index(folder) as index:
        index.ingest("a", write(folder / "a.mbox", *mails))
    return folder


def test_an_odd_id_resolves_by_its_links(odd: Path) -> None:
    links = Links()
    with open_index(odd) as index:
        roots = {one.root: one.subject for one in index.summaries(limit=100)}
    assert len(roots) >= len(ODD_IDS)
    with site(odd / "index.db", odd / "config.toml") as client:
        for root, subject in roots.items():
            page = shown(client.get(links.thread(root)))
            assert [one.text for one in page.all("h1")] == [subject]
            assert links.message(root) in page.links()
            assert subject in shown(client.get(links.message(root))).all("h1")[0].text
            assert client.get(links.file(root, "json")).status == 200
            listed = shown(client.get("/l/a/")).links()
            assert links.thread(root) in listed


@pytest.mark.parametrize("name", ["a/b@x", "a//b@x", "/a@x", "a/b%40x", "%3Ca/b@x%3E", "a%2fb@x"])
def test_an_id_with_slashes_resolves_as_people_write_it(odd: Path, name: str) -> None:
    with site(odd / "index.db", odd / "config.toml") as client:
        for path in (f"/t/{name}/", f"/m/{name}/", f"/t/{name}/thread.json"):
            assert client.get(path).status == 200, path


@given(st.text(st.characters(codec=None), min_size=1))
def test_a_segment_of_a_path_is_plain_and_is_what_it_was(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    made = segment(raw)
    assert parse_segment(made) == raw
    assert made.isascii()
    assert not set(made) & set("/?# <>\"'\\&")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"/drafts/{ROOT}/T/", f"/t/{ROOT}/"), (f"/all/{ROOT}/t/", f"/t/{ROOT}/"), (f"/lkml/{ROOT}/", f"/t/{ROOT}/"),
        (f"/r/{ROOT}/", f"/t/{ROOT}/"), (f"/r/{ROOT}", f"/t/{ROOT}/"), (f"/message-id/{ROOT}", f"/t/{ROOT}/"),
        (f"/message-id/flat/{ROOT}", f"/t/{ROOT}/"), (f"/x/{ROOT}/raw", f"/m/{ROOT}/raw"),
        (f"/x/{ROOT}/t.mbox.gz", f"/t/{ROOT}/thread.mbox"), (f"/x/{ROOT}/t.atom", f"/t/{ROOT}/thread.atom"),
        (f"/search?l=mid&q={ROOT}", f"/t/{ROOT}/"), (f"/search?q=<{ROOT}>", f"/t/{ROOT}/"),
        (f"/t/{ROOT}", f"/t/{ROOT}/"), (f"/m/{ROOT}", f"/m/{ROOT}/"), ("/l/drafts", "/l/drafts/"),
        ("/missing", "/missing/"), (f"/drafts/%3C{ROOT}%3E/", f"/t/{ROOT}/"),
    ],
)  # fmt: skip
def test_addresses_as_other_archives_write_them_lead_on(pages: Browser, path: str, target: str) -> None:
    response = pages.get(path)
    assert (response.status, response.headers.get("location")) == (301, target)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/t/nobody@x/", 404), ("/m/nobody@x/", 404), ("/t/nobody@x/thread.json", 404), ("/drafts/nobody@x/", 404),
        ("/l/nolist/", 404), ("/l/nolist/new.atom", 404), ("/nowhere", 404), ("/t/", 404), ("/m/", 404),
        (f"/t/{ROOT}/?page=0", 400), (f"/t/{ROOT}/?page=x", 400), (f"/t/{ROOT}/?page=-1", 400),
        (f"/t/{ROOT}/?page=2", 404), (f"/t/{ROOT}/?page=99999999", 400), (f"/t/{ROOT}/thread.exe/", 404),
        ("/l/drafts/?month=2003-13", 400), ("/l/drafts/?month=0000-01", 400), ("/l/drafts/?month=now", 400),
        ("/l/drafts/?after=nobody@x", 404), ("/l/drafts/?before=nobody@x", 404), ("/missing/?after=nobody@x", 404),
        (f"/search?q={'a' * 2000}", 400), ('/search?q="', 400), ("/search?q=%22%22", 400),
        (f"/search?q=re&after={ROOT}", 200), ("/search?q=re&after=nobody@x", 404), (f"/t/{'a' * 9000}/", 400),
        ("/%ff%fe", 404), ("/%", 404), ("/t/%/", 404), ("//", 404), ("/t//", 404), ("/../etc/passwd", 404),
        ("/l/../", 404), ("/l/%2e%2e%2f/", 404), (f"/m/{ROOT}/raw", 403), ("/l/drafts%00/", 404), ("/t/%00/", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_or_cannot_be_is_a_page_with_its_code(pages: Browser, path: str, status: int) -> None:
    page = shown(pages.get(path), status)
    assert page.all("h1")[0].text
    assert page.all("main")[0].text.strip()


def test_who_has_a_page_is_told_so(pages: Browser, story: Path) -> None:
    for path in (f"/t/{ROOT}/", f"/t/{ROOT}/thread.json", f"/m/{ROOT}/", "/", "/l/drafts/", "/style.css"):
        first = pages.get(path)
        tag = first.headers["etag"]
        for field in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = pages.get(path, headers={"if-none-match": field})
            assert (again.status, again.content) == (304, b""), (path, field)
            assert again.headers["etag"] == tag
            assert "content-type" not in again.headers
        assert pages.get(path, headers={"if-none-match": '"other"'}).content == first.content


def test_a_thread_that_changes_has_another_tag_and_others_keep_theirs(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", mail("a@x"), mail("b@x", ["a@x"]), mail("other@x")))
    with site(tmp_path / "index.db", tmp_path / "config.toml") as client:
        before, other = client.get("/t/a@x/"), client.get("/t/other@x/")
        with open_index(tmp_path) as index:
            index.ingest("a", write(tmp_path / "b.mbox", mail("c@x", ["b@x"], body="new text")))
        after = client.get("/t/a@x/", headers={"if-none-match": before.headers["etag"]})
        assert after.status == 200
        assert "new text" in after.text
        assert client.get("/t/other@x/", headers={"if-none-match": other.headers["etag"]}).status == 304


def test_a_thread_does_not_change_its_tag_with_the_id_by_which_it_is_found(pages: Browser) -> None:
    tags = {pages.get(f"/t/{name}/").headers["etag"] for name in (ROOT, "87smuvyw1c.fsf@okafor.example.net")}
    assert len(tags) == 1


def test_head_is_get_without_a_body(pages: Browser) -> None:
    whole, head = pages.get(f"/t/{ROOT}/"), pages.request("HEAD", f"/t/{ROOT}/")
    assert head.status == 200
    assert dict(head.headers) == dict(whole.headers)
    assert int(head.headers["content-length"]) == len(whole.content)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "ODD"])
def test_nothing_but_reading_is_possible(pages: Browser, method: str) -> None:
    refused = pages.request(method, "/")
    assert refused.status == 405
    assert refused.headers["allow"] == "GET, HEAD"
    assert refused.headers["connection"] == "close"


def test_a_request_has_no_content(pages: Browser) -> None:
    assert pages.get("/", headers={"content-length": "100"}).status == 413
    assert pages.get("/", headers={"transfer-encoding": "chunked"}).status == 413


def test_health_is_told_in_two_bytes(pages: Browser) -> None:
    found = pages.get("/healthz")
    assert (found.status, found.text) == (200, "ok\n")


def test_robots_may_read_what_is_public_alone(pages: Browser, story: Path) -> None:
    assert "Disallow: /search\n" in pages.get("/robots.txt").text
    assert "x-robots-tag" not in pages.get("/").headers
    assert pages.get("/").headers["cache-control"] == "public, max-age=60"
    with site(story / "index.db", story / "config.toml", PageSettings(), host="localhost") as client:
        assert "Disallow: /\n" in client.get("/robots.txt").text
        assert client.get("/").headers["x-robots-tag"] == "noindex"
        assert client.get("/").headers["cache-control"] == "private, no-cache"


def test_a_server_that_is_not_public_answers_only_to_its_own_names(story: Path) -> None:
    settings = PageSettings(public_url="https://inner.example.org")
    with site(story / "index.db", story / "config.toml", settings) as client:
        for host in ("localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "inner.example.org", "127.1.2.3"):
            assert client.get("/", headers={"host": host}).status == 200, host
        for host in (
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com",
            "",
            "x\u00e4",
        ):
            assert client.get("/", headers={"host": host}).status == 421, host
        assert client.get("/healthz", headers={"host": "evil.example.com"}).status == 200


def test_pages_below_a_prefix_link_below_it(story: Path) -> None:
    settings = PageSettings(public=True, public_url="https://lists.example.org/archive")
    with site(story / "index.db", story / "config.toml", settings) as client:
        for path in (f"/archive/t/{ROOT}/", f"/t/{ROOT}/"):
            page = shown(client.get(path))
            inner = [link for link in page.links() if link.startswith("/")]
            assert inner
            assert all(link.startswith("/archive/") for link in inner)
        assert client.get("/archive/").status == 200
        assert client.get(f"/archive/x/{ROOT}/").headers["location"] == f"/archive/t/{ROOT}/"


def test_a_client_with_too_many_requests_is_told_when_to_come_again(story: Path) -> None:
    ledger = ClientLedger(ClientLimits(calls_at_once=3, calls_per_second=0.001))
    with site(story / "index.db", story / "config.toml", PUBLIC, ledger=ledger) as client:
        answers = [client.get("/about") for _ in range(5)]
        assert [one.status for one in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 1
        assert "Calls: 3 at once" in Document(answers[-1].text).all("main")[0].text
        assert client.get("/healthz").status == 200


@pytest.mark.parametrize(
    "text", ["", "lists.example.org", "ftp://x", "https://", "https://x/?a", "https://x/#a", "https://a@x/", "http://x:y/",
             "https://x/a b", "https://\u00e4/", "http://x:99999/"],
)  # fmt: skip
def test_an_address_of_the_pages_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--public-url"):
        parse_public_url(text)


@pytest.mark.parametrize(
    "text", ["", "x", "x=", "=https://x/{id}", "x=https://x/", "x=javascript:{id}", "x=https:///{id}"]
)
def test_another_archive_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--elsewhere"):
        OtherArchive.parse(text)


def test_a_link_of_another_archive_has_the_id_and_nothing_more() -> None:
    other = OtherArchive.parse("x=https://x/{id}")
    assert other.link("a/../b?c#d@x") == f"https://x/{quote('a/../b?c#d', safe='')}@x"


def test_requests_are_counted_with_their_status(story: Path) -> None:
    counted: list[tuple[str, ...]] = []

    class Meter:
        def began(self, method: str) -> None:
            counted.append((method,))

        def ended(self, method: str, code: str, seconds: float, work: float) -> None:
            counted.append((method, code))
            assert seconds >= 0
            assert work >= 0

    with site(story / "index.db", story / "config.toml", meter=Meter()) as client:
        for path in ("/", "/nowhere", f"/t/{ROOT}"):
            client.get(path)
    assert counted == [one for code in ("200", "404", "301") for one in (("http",), ("http", code))]


def test_a_page_of_a_thread_is_made_once_whatever_else_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = PageBuilder.part_page

    def counting(self: PageBuilder, index: Index, part: ThreadPart, mail: OpenMail, mark: str = "") -> WebPage:
        made.append(part.root)
        return make(self, index, part, mail, mark)

    monkeypatch.setattr(PageBuilder, "part_page", counting)
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", mail("a@x"), mail("b@x")))
    with site(tmp_path / "index.db", tmp_path / "config.toml") as client:
        first = client.get("/t/a@x/")
        with open_index(tmp_path) as index:
            index.ingest("a", write(tmp_path / "b.mbox", mail("c@x", ["b@x"])))
        assert client.get("/t/a@x/").content == first.content
        assert "c@x" in client.get("/t/b@x/").text
    assert made == ["a@x", "b@x"]


def test_pages_that_are_kept_have_only_so_much_room() -> None:
    cache = PageCache(1000)
    for number in range(20):
        cache.put(WebPage(b"x" * 100, version=str(number)))
        cache.get("15")
    assert [number for number in range(20) if cache.get(str(number))] == list(range(10, 20))
    cache.put(WebPage(b"x" * 500, version="large"))
    assert cache.get("large") is None


def test_a_handle_leads_to_its_message_and_so_do_the_addresses_of_hyperkitty(pages: Browser, story: Path) -> None:
    ghost = "87smuvyw1c.fsf@okafor.example.net"
    whole = handle_letters(ghost.encode())
    assert pages.get(f"/t/~{whole[:6]}/").content == pages.get(f"/t/{ghost}/").content
    assert pages.get(f"/m/~{whole}/").content == pages.get(f"/m/{ghost}/").content
    paths = [
        f"{front}/list/drafts@x/{kind}/{whole.upper()}/"
        for front in ("", "/archives", "/hyperkitty") for kind in ("message", "thread")
    ]  # fmt: skip
    for path in (*paths, f"/r/{whole}/", f"/search?q=~{whole[:6]}"):
        moved = pages.get(path)
        assert (moved.status, moved.headers.get("location")) == (301, f"/t/{ghost}/"), path
    assert pages.get("/t/~aaaaa/").status == 404


def test_a_handle_that_may_be_several_messages_is_said_to_be_that(tmp_path: Path) -> None:
    by_handle: dict[str, str] = {}
    names: list[str] = []
    while not names:
        name = f"{len(by_handle)}@x"
        other = by_handle.setdefault(handle_letters(name.encode())[:5], name)
        names = [other, name] if other != name else []
    with open_index(tmp_path) as index:
        index.ingest("a", write(tmp_path / "a.mbox", *map(mail, names)))
        index.handles(names)
    with site(tmp_path / "index.db", tmp_path / "config.toml") as client:
        page = shown(client.get(f"/t/~{handle_letters(names[0].encode())[:5]}/"), 300)
        assert all(name in page.all("main")[0].text for name in names)
        assert client.get(f"/t/~{handle_letters(names[1].encode())[:12]}/").status == 200


def test_the_figures_of_pages_are_printed(story: Path) -> None:
    env = environment(WEFT_CONFIG=str(story / "config.toml"))
    command = [sys.executable, "-m", "tests.bench.pages", str(story / "index.db")]
    printed = subprocess.run(
        command, env=env, cwd=FIXTURES.parent, capture_output=True, text=True, check=True, timeout=60
    )
    figures = json.loads(printed.stdout)
    assert figures.keys() == {"thread", "thread of 16", "list", "first page", "message", "304", "kept"}
    assert min(figures.values()) > 0
