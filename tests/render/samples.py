"""Threads to export: ordinary, odd and hostile."""

from __future__ import annotations

from io import BytesIO

from hypothesis import strategies as st

from weft.model import Copy, Message, Thread
from weft.render import FORMATS

HOSTILE = (
    'quote"s@x',
    "back\\slash@x",
    "ends in a backslash\\",
    "two lines\r\n\tof@x",
    "two lines of@x",
    "escape\x1b[2J\x1b]0;title\x07@x",
    "nul\x00@x",
    "raw bytes \udcff\udc80@x",
    "right\u202eto\u2066left@x",
    "separators\u2028\u2029@x",
    "c1\x85\x9b31m@x",
    "noncharacters\ufffe\uffff@x",
    "private\ue000 zero\u200bwidth\ufeff@x",
    "<html>&amp;&lt;]]><![CDATA[@x",
    "percent%00%zz%@x",
    "percent\x00%zz%@x",
    "z" + "\u0335" * 3000 + "algo@x",
    "\u0301starts with a mark@x",
    "\u6f22\u5b57\U0001f600@x",
    "",
)
"""All of them different; as ids, subjects, authors."""

texts = st.one_of(
    st.text(st.characters(codec=None), max_size=30),
    st.sampled_from(HOSTILE),
    st.sampled_from(["git", "ietf", "a@x", "Re: tabs", "Ann Other <ann@x.example>"]),
)
dates = st.none() | st.sampled_from(["2003-02-09T22:52:25-05:00", "9999-12-30T00:00:00+00:00", "0001-01-03T00:00:00Z"])
copies = st.builds(Copy, texts, texts, texts, dates, st.none() | texts)
messages = st.builds(
    Message,
    id=texts,
    parent=st.none() | texts,
    depth=st.integers(0, 50_000),
    ghost=st.booleans(),
    contested=st.booleans(),
    variants=st.integers(0, 5),
    date=dates,
    author=texts,
    subject=texts,
    copies=st.lists(copies, max_size=4).map(lambda some: tuple(sorted(some, key=lambda copy: copy.list))),
    rivals=st.lists(st.none() | texts, max_size=8).map(tuple),
    cut=st.none() | texts,
    named=st.integers(0, 99),
    named_on=st.lists(texts, max_size=3).map(tuple),
    joined=st.booleans(),
    stated_date=st.just("") | texts,
    muted=st.booleans(),
    rival_replies=st.lists(texts, max_size=8).map(tuple),
    aliases=st.lists(texts, max_size=8).map(tuple),
    guessed=st.booleans(),
)


@st.composite
def threads(draw: st.DrawFn) -> Thread:
    """A tree of arbitrary messages in display order, with different ids."""
    ids = draw(st.lists(texts, min_size=1, max_size=12, unique=True))
    tree: list[Message] = []
    for own in ids:
        # The next in depth-first order is a child of the last one, or of an ancestor of it.
        depth = draw(st.integers(1, tree[-1].depth + 1)) if tree else 0
        parent = next((one.id for one in reversed(tree) if one.depth == depth - 1), None)
        tree.append(draw(messages)._replace(id=own, parent=parent, depth=depth))
    return Thread(tuple(tree), "00" * 32)


def message(own: str, parent: str | None = None, depth: int = 0, *lists: str, subject: str = "Re: tabs") -> Message:
    """A message that was seen, as alike on all of its lists ("git" if there are none)."""
    author, date = "Ann Other", "2003-02-09T22:52:25-05:00"
    seen = tuple(Copy(name, subject, author, date) for name in lists or ("git",))
    return Message(own, parent, depth, False, False, 1, date, author, subject, seen)


def ghost(own: str, parent: str | None = None, depth: int = 0, *named_on: str, named: int = 1) -> Message:
    """A message that nobody has seen."""
    return Message(own, parent, depth, True, False, 0, None, "", "", (), named=named, named_on=named_on)


def thread(*messages: Message) -> Thread:
    """A thread of them."""
    return Thread(messages, "ab" * 32)


def chain(length: int) -> Thread:
    """Each message answers the one before it."""
    return thread(*(message(f"{n}@x", f"{n - 1}@x" if n else None, n) for n in range(length)))


def star(children: int) -> Thread:
    """All messages answer the first."""
    return thread(message("root@x"), *(message(f"{n}@x", "root@x", 1) for n in range(children)))


def hostile() -> Thread:
    """A thread in which everything that its authors could choose is hostile."""
    root = message(HOSTILE[0], subject=HOSTILE[0])
    others = (
        message(text, HOSTILE[0], 1, subject=text)._replace(author=text, stated_date=text, date=None, cut=text)
        for text in HOSTILE[1:]
    )
    return thread(root, *others)


def odd() -> Thread:
    """One of each: ghost, contested, variants, cut cycle, joined by subject."""
    return thread(
        ghost("lost@x", None, 0, "git", "ietf", named=2),
        message("a@x", "lost@x", 1, "git", "ietf", subject="Tabs"),
        message("b@x", "a@x", 2)._replace(variants=3),
        message("c@x", "b@x", 3)._replace(joined=True),
        message("d@x", "lost@x", 1)._replace(contested=True, rivals=("a@x", None), joined=True),
        message("e@x", "d@x", 2)._replace(cut="f@x"),
        message("f@x", "e@x", 3)._replace(date=None, stated_date="Yesterday"),
    )


def written(name: str, *some: Thread, **options: object) -> bytes:
    """What the format of that name makes of threads."""
    file = BytesIO()
    FORMATS[name].writer()(iter(some), file, **options)
    return file.getvalue()
