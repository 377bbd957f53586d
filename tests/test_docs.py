"""The documentation does what it says: the examples of the README and of all pages run, and links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import weft as weft_package
from tests import command_reference, grpc_reference
from tests.cli.command_runner import ROOT, weft
from tests.documented_examples import DOCS, README, Example, documents, examples, matches, not_run, run
from tests.documented_facts import limit, metric_rows, stated_limits, stated_metrics
from tests.test_architecture import MODULES
from weft.docs import SECTIONS, pages
from weft.exchange.limits import Limits
from weft.v1 import claim_pb2, exchange_pb2, threads_pb2
from weft.wire import limits as wire_limits

ROOT_FOLDER = README.parent
EXAMPLES = [example for page in documents() for example in examples(page)]
_LINK = re.compile(r"\]\((?!https?://)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)]+))?\)")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_prints_what_its_page_shows(example: Example, tmp_path: Path) -> None:
    if example.missing:
        pytest.skip(f"{example.missing} is not installed")
    printed = run(example, tmp_path)
    assert len(printed) == len(example.steps)
    for step, text in zip(example.steps, printed, strict=True):
        assert matches(step.shown, text), f"{step.program}prints\n{text}"


def test_the_readme_has_examples_and_only_set_up_is_not_run() -> None:
    assert any(example.page == README for example in EXAMPLES)
    assert not_run(README)
    assert all("pip install" in text or "_WEFT_COMPLETE" in text for text in not_run(README))


def test_the_readme_shows_both_commands_that_do_all_the_set_up() -> None:
    start = "\npython3 -m venv .venv && .venv/bin/pip install -q "
    assert README.read_text().count(f"{start}. && .venv/bin/weft rebuild fixtures/story/*.mbox\n") == 1
    tests = f"{start}-e '.[test]' && .venv/bin/pytest -n 2\n"
    assert README.read_text().count(tests) == 1
    if (script := README.parent / ".ci" / "run").exists():
        assert script.read_text().count(tests) == 1, "continuous integration runs the tests as the README says"


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_page_and_a_heading(page: Path) -> None:
    for link in _LINK.finditer(page.read_text()):
        target = page.parent / link["path"] if link["path"] else page
        assert target.exists(), f"{page.name}: {link[0]}"
        if link["anchor"]:
            assert link["anchor"] in set(map(_anchor, re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)))


_PROSE = [
    README,
    *sorted(DOCS.rglob("*.md")),
    ROOT_FOLDER / "proto" / "PROTOCOL.md",
    *sorted(ROOT_FOLDER.glob(".github/**/*.md")),
]
_CODE = re.compile(r"^```.*?^```|`[^`]*`|\"nobody says\"", re.MULTILINE | re.DOTALL)
_NOT_OURS = re.compile(
    r"\b(nobody|octets?|woven|weavers?|looms?|tellers?|seekers?|askers?|givers?|takers?|chronicle|strangers?)\b"
    r"|\bcannot be meant\b|(?<!there )\bis no (?!longer|more|other)\w+",
    re.IGNORECASE,
)
"""Words that the pages do without: there are plainer ones, or those of the field."""


@pytest.mark.parametrize("page", _PROSE, ids=lambda page: page.name)
def test_a_page_is_written_in_the_words_of_the_field(page: Path) -> None:
    prose = _CODE.sub("", page.read_text())
    assert not [found[0] for found in _NOT_OURS.finditer(prose)]


def test_the_protocol_names_messages_and_fields_of_the_schema() -> None:
    text = (ROOT_FOLDER / "proto" / "PROTOCOL.md").read_text()
    schema = "".join(path.read_text() for path in (ROOT_FOLDER / "proto" / "weft" / "v1").glob("*.proto"))
    defined = set(re.findall(r"^\s*(?:message|enum|service) (\w+)", schema, re.MULTILINE))
    assert not set(re.findall(r"`([A-Z][a-z]\w+)(?:\.\w+)?`", text)) - defined
    limits = set(re.findall(r"`(\w+)`", text.partition("## 8.")[2].partition("## 9.")[0]))
    assert {field.name for field in dataclasses.fields(Limits)} - {"kept_symbols"} <= limits
    known = limits | set(re.findall(r"(\w+) = \d+;", schema))
    assert not set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) - known


def _anchor(heading: str) -> str:
    """The anchor that GitHub and GitLab make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_a_topic_in_a_known_section_with_a_title_of_its_own() -> None:
    found = pages()
    assert {DOCS / f"{page.topic}.md" for page in found} == set(DOCS.rglob("*.md"))
    assert {page.section for page in found} <= set(SECTIONS)
    titles = [page.title for page in found]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_the_picture_of_the_readme_is_what_weft_draws_of_the_story() -> None:
    story = ("fixtures/story/drafts.mbox", "fixtures/story/smtp-ops.mbox")
    drawn = weft("rebuild", "-q", "--format", "svg", "--thread", ROOT, *story, cwd=README.parent)
    assert (DOCS / "thread.svg").read_bytes() == drawn.out


def test_the_readme_is_two_screens() -> None:
    assert len(README.read_text().splitlines()) <= 250


def test_help_lists_every_topic_and_shows_each_page() -> None:
    listed = weft("help").text
    for page in pages():
        assert f"  {page.topic} " in listed
    page = pages()[0]
    assert weft("help", page.topic).text == page.readable


def test_help_on_a_command_is_what_the_command_says_of_itself() -> None:
    assert weft("help", "keys").text == weft("keys", "--help").text


def test_help_on_an_unknown_topic_names_close_ones() -> None:
    ran = weft("help", "glosary")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == ["weft: there is no page on glosary; did you mean glossary? weft help lists all topics"]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\n", "b\nc\n", False),
        ("a ... d\n", "a b c d\n", True),
        ("a ... d\n", "a b\nc d\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_dots_stand_for_what_is_left_out(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) == same


@pytest.mark.parametrize("generated", [command_reference, grpc_reference], ids=lambda module: module.PAGE.name)
def test_a_page_that_is_written_from_the_code_is_what_the_code_says(generated: ModuleType) -> None:
    assert generated.PAGE.read_text() == generated.reference(), f"write it again: python -m {generated.__name__}"


def test_every_message_and_call_of_the_protocol_stands_in_the_reference_of_the_api() -> None:
    page = grpc_reference.PAGE.read_text()
    for file in (claim_pb2, exchange_pb2, threads_pb2):
        for name, message in file.DESCRIPTOR.message_types_by_name.items():
            assert f"### message {name}\n" in page
            for field in message.fields:
                assert f"| {field.number} | `{field.name}` |" in page
        for service in file.DESCRIPTOR.services_by_name.values():
            assert all(f"| `{method.name}` |" in page for method in service.methods)


def test_the_limits_in_the_reference_are_those_of_the_code() -> None:
    stated = stated_limits()
    assert len(stated) > 40
    assert stated == {name: limit(name) for name in stated}
    public = {
        name for name in vars(wire_limits) if name.isupper() and isinstance(getattr(wire_limits, name), int | float)
    }
    private = {"ANSWER_BYTES", "DIGESTS_PAGE"}  # how responses are cut, which no client has to know
    assert {f"wire.limits.{name}" for name in public - private} <= stated.keys()
    fields = {f"exchange.limits.Limits.{field.name}" for field in dataclasses.fields(Limits)}
    assert fields - {"exchange.limits.Limits.kept_symbols", "exchange.limits.Limits.least_rate"} <= stated.keys()


def test_every_module_that_the_architecture_names_is_there() -> None:
    page = (DOCS / "explanation" / "architecture.md").read_text()
    named = re.findall(r"`((?:\w+\.)+\w+)`", page)
    assert len(named) > 40
    assert not [name for name in named if f"weft.{name}" not in MODULES and not _is_attribute(*name.split("."))]


def _is_attribute(first: str, *others: str) -> bool:
    """Whether a name that is not a module is in ``weft`` itself or in one of its modules."""
    owner = weft_package if first[0].isupper() else import_module(".".join(("weft", first, *others[:-1])))
    return hasattr(getattr(owner, first) if first[0].isupper() else owner, others[-1])


def test_the_metrics_in_the_reference_are_those_that_a_server_shows() -> None:
    assert stated_metrics() == metric_rows()
