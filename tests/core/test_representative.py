"""Senders as lists leave them, and how many contents stand under an id."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.core.representative import Content, count_variants, same_senders
from weft.core.sender import Sender, read_sender

ANN = read_sender("Ann Other <ann@x.example>", "l")


@pytest.mark.parametrize(
    ("author", "list_name"),
    [
        ("Ann Other <Ann@X.example>", "l"),
        ("ann@x.example (Ann Other)", "l"),
        ("ann at x.example (Ann Other)", "l"),
        ("ann@x.example", "l"),
        ("ann at x.example (ann@x.example)", "l"),
        ('"Ann Other via git" <git@lists.example.org>', "git"),
        ("'Ann Other' via Group <group@lists.example.org>", "l"),
        ("Ann Other (via git Mailing List) <git@lists.example.org>", "l"),
        ("Ann Other <git@lists.example.org>", "git"),
        ("git-dev@lists.example.org (Ann Other)", "a.git-dev"),
        ("Ann Other <ann=40x.example@dmarc.example.net>", "l"),
        ("Ann Other via groups <ann=x.example@groups.example.net>", "l"),
    ],
)
def test_a_sender_that_a_list_or_an_archive_rewrote_is_the_same(author: str, list_name: str) -> None:
    first, second = same_senders([ANN, read_sender(author, list_name)])
    assert first == second


@pytest.mark.parametrize(
    "author",
    [
        '"Ann O." <ann@evil.example>', "Ann Other <ann@evil.example>", "Mallory <ann@x.example>", "",
        "Mallory via git <git@lists.example.org>", "ann@x.example.org",
    ],
)  # fmt: skip
def test_another_sender_is_another(author: str) -> None:
    first, second = same_senders([ANN, read_sender(author, "l")])
    assert first != second


def content(feed: str = "l", sender: Sender = ANN, subject: str = "plan", body: str = "yes") -> Content:
    return Content(feed, sender, subject, body)


MALLORY = read_sender("Mallory <m@evil.example>", "l")
COUNTS = {
    "the same twice": ([content(), content()], 1),
    "another body on one list": ([content(), content(body="no")], 2),
    "a footer on another list": ([content(), content("m", body="yes, a footer")], 1),
    "another subject and body on another list": ([content(), content("m", subject="offer", body="no")], 2),
    "another subject, the same body": ([content(), content("m", subject="offer")], 1),
    "another sender": ([content(), content(sender=MALLORY)], 2),
    "another sender on another list": ([content(), content("m", MALLORY)], 2),
    "no cross-post connects two bodies of one list": (
        [content(), content(body="no"), content("m", body="yes, a footer")], 2,
    ),
    "a forged copy on the other list, where the real one came too": (
        [content(), content("m", body="no"), content("m", body="yes, a footer")], 2,
    ),
    "an archive that writes at for @": ([content(), content(sender=ANN._replace(rendered=True), body="at")], 1),
    "none": ([], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_contents_are_counted(name: str) -> None:
    copies, expected = COUNTS[name]
    assert count_variants(copies) == expected


SENDERS = [ANN, MALLORY, Sender("ann@x.example", "", True), Sender("", "ann other", False), Sender("", "", False)]
CONTENTS = st.lists(
    st.builds(Content, st.sampled_from("lmn"), st.sampled_from(SENDERS), st.sampled_from("st"), st.sampled_from("abc")),
    max_size=8,
)


@given(CONTENTS, st.integers())
def test_the_count_is_a_function_of_the_set(copies: list[Content], seed: int) -> None:
    shuffled = [*copies, *copies[:3]]
    Random(seed).shuffle(shuffled)
    assert count_variants(shuffled) == count_variants(copies)


@given(CONTENTS, st.sampled_from(SENDERS), st.sampled_from("lmn"))
def test_on_one_list_no_copy_hides_another_body_or_sender(copies: list[Content], sender: Sender, feed: str) -> None:
    """Whatever else is there, what one list shows of one sender is never counted as fewer contents."""
    own = [copy for copy in copies if (copy.feed, copy.sender) == (feed, sender)]
    bodies = {(copy.body) for copy in own}
    if bodies:
        assert count_variants(copies) >= len(bodies)
