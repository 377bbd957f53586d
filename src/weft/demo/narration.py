"""The acts in words, for a terminal of some width.  Nothing here does anything; numbers and names are facts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from weft._text import count
from weft.demo.results import Act, Alone, Cast, Exchange, Lie, Promise, Stopped, SyncSession, Together
from weft.model import Message
from weft.render.labels import author_of, in_utc
from weft.render.sanitize import clean, fit, shorten, width
from weft.render.text import draw_thread, stems

HEADINGS = (
    "Who is there",
    "One conversation, as each of them shows it alone",
    "Each asks the others for the rest of its own threads",
    "Now each of them shows the whole",
    "The server where it began is stopped",
    "A lie",
)

_WIDEST = 100
_NARROWEST, _WIDEST_NODE = 28, 66
"""The columns of a message beside what each server has of it."""
_INDENT = "   "
_GAP = "  "
_SHORT = 16
"""So much of a key, a digest or a claim is shown."""
_BOLD, _DIM, _GREEN, _YELLOW, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_SAYS = ", says "
_HELD, _GHOST, _NOTHING = "●", "○", "·"


@dataclass(frozen=True, slots=True)
class Narrator:
    """Says what happens, in lines of at most ``columns``."""

    columns: int
    color: bool

    def opening(self) -> Iterator[str]:
        """Before the first act."""
        title = "Three servers on this machine, one conversation of February 2003, no master copy"
        yield from (self._paint(_BOLD, line) for line in self._prose(title, indent=""))
        yield from self._prose(
            "The conversation is invented, the servers are real. Lines like ada$ weft ... say what is done, as "
            "commands on the index of the server of that name.",
            indent="",
        )

    def heading(self, number: int) -> Iterator[str]:
        """Before an act, 1 to 6."""
        yield ""
        yield self._paint(_BOLD, shorten(f"{number}  {HEADINGS[number - 1]}", self.columns))
        yield ""

    def act(self, act: Act) -> Iterator[str]:
        """What came of an act."""
        match act:
            case Cast():
                yield from self._cast(act)
            case Alone():
                yield from self._alone(act)
            case Exchange():
                yield from self._exchange(act)
            case Together():
                yield from self._together(act)
            case Stopped():
                yield from self._stopped(act)
            case Lie():
                yield from self._lie(act)

    def closing(self, promises: Sequence[Promise], seconds: float, kept: str | None) -> Iterator[str]:
        """After the last act; ``kept``: the folder that stays."""
        broken = sum(not promise.kept for promise in promises)
        yield ""
        if broken:
            yield self._paint(_YELLOW, f"{broken} of {len(promises)} things that were promised did not come true.")
        else:
            yield from self._prose(
                f"Checked meanwhile on the servers: {len(promises)} things, all of them true (weft demo --json names "
                f"them). It took {seconds:.1f} s. {_left(kept)}",
                indent="",
            )

    def _cast(self, act: Cast) -> Iterator[str]:
        rows = [
            (one.name, one.list, str(one.messages), one.fingerprint[:_SHORT] + "…", one.address, str(one.process))
            for one in act.servers
        ]
        yield from self._table(("server", "list", ">messages", "key", "listens on", ">process"), rows)
        yield ""
        yield from self._prose(
            "Each is a process with an index and a key of its own. The key is its origin: it signs what the server "
            "says it saw on its list. Each is the authority on that, and on nothing else; each admits what the other "
            "two sign, and none of them is in charge."
        )

    def _alone(self, act: Alone) -> Iterator[str]:
        names = [share.name for share in act.servers]
        marks_take = sum(len(name) + len(_INDENT) for name in names)
        room = max(_NARROWEST, min(_WIDEST_NODE, self.columns - len(_INDENT) - marks_take))
        yield _INDENT + " " * room + "".join(self._paint(_BOLD, f"   {name}") for name in names)
        for message, stem, _ in stems(act.whole.messages):
            marks = [(_mark(message.id, share.ids, share.ghost_ids), len(share.name)) for share in act.servers]
            painted = [f"   {self._paint(_COLORS[mark], mark.center(size))}" for mark, size in marks]
            yield (_INDENT + self._node(stem, message, room) + "".join(painted)).rstrip()
        yield ""
        yield from self._prose(
            f"{_HELD} held   {_GHOST} a ghost: others refer to it, nobody there holds it   {_NOTHING} no sign of it",
            keep=True,
        )
        yield ""
        shown = ", ".join(f"{share.name} {share.messages}" for share in act.servers)
        unknown = ", ".join(f"{share.no_sign} for {share.name}" for share in act.servers)
        yield from self._prose(
            f"Messages held, of {act.messages}: {shown}; any two of them together have at most {act.pairs}. What is a "
            f"ghost a server could ask for by name. Of the rest it has no sign at all ({unknown}). So it asks the "
            "other way round: who has anything that refers to what I know?"
        )

    def _exchange(self, act: Exchange) -> Iterator[str]:
        for caller in dict.fromkeys(session.caller for session in act.sessions):
            others = [session.answerer for session in act.sessions if session.caller == caller]
            yield self._command(caller, f"weft sync {' '.join(others)}")
        yield ""
        heads = ("session", ">rounds", ">ids asked", ">to find out", ">claims in", ">claims out")
        yield from self._table(heads, [_session(session) for session in act.sessions])
        yield ""
        learned = ", ".join(f"{one.name} {one.messages}" for one in act.learned)
        claims = sum(one.claims for one in act.learned)
        proofs = sum(session.number("proof_octets_in") for session in act.sessions)
        yield from self._prose(
            f"Sizes are bytes: claims with their proofs ({proofs:,} bytes of what came in are proofs), and all else "
            f"as what it takes to find out. Messages learned: {learned}. That took {claims} claims, as each list's "
            "copy of a message is a claim of its own. Threads that only one list has stayed where they were: nobody "
            "asked about them."
        )
        yield ""
        last = act.sessions[-1]
        yield from self._prose(
            f"In the last session {last.caller} and {last.answerer} ask each other about what came from elsewhere "
            "since the first, and neither has more. Now each has asked all whom it believes about every id of the "
            "thread."
        )

    def _together(self, act: Together) -> Iterator[str]:
        yield self._command(act.shown_by, f"weft show {act.thread.root}")
        yield ""
        columns = min(self.columns, 120) - len(_INDENT)
        for line in draw_thread(act.thread, columns=columns, color=self.color, names=act.names):
            yield _INDENT + line
        yield ""
        yield from self._digests(act.digests)
        yield ""
        ghosts = act.edges - act.stated
        yield from self._prose(
            f"Equal digests: the same claims and the same edges. Of the {act.edges} edges {act.stated} are stated by "
            f"the message itself, alike in every copy. The other {ghosts} are those of ghosts, where the nearest "
            f"References decide, and agree. Nobody here holds these {act.ghosts} messages; they keep their places."
        )

    def _stopped(self, act: Stopped) -> Iterator[str]:
        yield self._command(act.name, f"kill -TERM {act.process}")
        yield ""
        yield from self._digests(act.digests)
        yield ""
        shown = ", ".join(f"{name} {number}" for name, number in act.messages.items())
        yield from self._prose(
            f"Messages shown: {shown}, as before. The conversation began on the list of {act.name}, and can do without "
            f"that server, which ended with exit code {act.exit_code}."
        )

    def _lie(self, act: Lie) -> Iterator[str]:
        keeper = act.said_by[0][1]
        yield from self._prose(
            f"Somebody posts to {act.list}, under Ada's name, a mail whose References name two threads as if they were "
            "one: the conversation, and a thread about a provider that answers 450. Textbook threading would now hang "
            f"the whole conversation below the other. The server of {keeper} cannot know; it reads its list, signs "
            f"what it saw there, and passes it on. That of {act.muted_by} is back, and talks only with {act.via}."
        )
        yield ""
        yield self._command(keeper, f"weft ingest {act.list}.mbox")
        yield self._command(act.via, f"weft sync {keeper} {act.muted_by}")
        yield self._command(act.muted_by, f"weft explain {act.id}")
        yield ""
        for line in _excerpt(act.explanation):
            text = shorten(line, self.columns - len(_INDENT) - len(_GAP))
            yield _INDENT + _GAP + self._paint(_YELLOW if _SAYS in line else _DIM, text)
        yield ""
        moved = sum(act.moved.values())
        others = "no other message has moved" if not moved else f"{count(moved, 'other message')} moved"
        yield from self._prose(
            f"On all three servers it is one more leaf, in the same place; {others}, and the thread about the 450 has "
            f"its {act.other_thread} messages. A mail places itself and nobody else's mail. The claim came to "
            f"{act.muted_by} by way of {act.via}, and explain still says whose word it is: that of {keeper}, about "
            f"{act.list}. The name in From is anybody's to write."
        )
        yield ""
        yield self._command(act.muted_by, f"weft mute --claim {act.claim[:_SHORT]}…")
        yield ""
        still = " and ".join(name for name, shown in act.shown.items() if shown)
        gone = " and ".join(name for name, shown in act.shown.items() if not shown) or "nobody"
        yield from self._prose(
            f"Hidden at {gone}, until it is undone there; {still} still show it. Nobody has deleted anything, and "
            "nobody had to ask."
        )

    def _digests(self, digests: Mapping[str, str]) -> Iterator[str]:
        for name, digest in digests.items():
            yield f"{_INDENT}thread digest on {name.ljust(max(map(len, digests)))}  {self._paint(_GREEN, digest)}"

    def _node(self, stem: str, message: Message, room: int) -> str:
        """A message as a line of exactly so many columns, with a place for its day if there is room for it."""
        text = f"<{clean(message.id)}>" if message.ghost else clean(author_of(message.author))
        day = "" if message.date is None or room < 50 else f"{_GAP}{in_utc(message.date)[:10]}"
        left = fit(text, room - width(stem) - len(day))
        return self._paint(_DIM, stem) + (self._paint(_DIM, left) if message.ghost else left) + day

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """A table; a head that begins with ``>`` is that of a column whose text stands at the right."""
        right = [head.startswith(">") for head in heads]
        cells = [[head.removeprefix(">") for head in heads], *rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for number, row in enumerate(cells):
            parts = [
                text.rjust(size) if at_right else text.ljust(size)
                for text, size, at_right in zip(row, widths, right, strict=True)
            ]
            line = shorten(_GAP.join(parts).rstrip(), self.columns - len(_INDENT))
            yield _INDENT + (line if number else self._paint(_BOLD, line))

    def _command(self, name: str, command: str) -> str:
        line = shorten(command, self.columns - len(_INDENT) - len(name) - 2)
        return f"{_INDENT}{self._paint(_DIM, f'{name}$')} {self._paint(_GREEN, line)}"

    def _prose(self, text: str, *, indent: str = _INDENT, keep: bool = False) -> Iterator[str]:
        columns = min(self.columns, _WIDEST)
        if keep and len(indent) + len(text) <= columns:
            yield indent + text
            return
        yield from textwrap.wrap(
            text,
            columns,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
        )

    def _paint(self, style: str, text: str) -> str:
        return f"{style}{text}{_PLAIN}" if self.color and style and text else text


_COLORS = {_HELD: _GREEN, _GHOST: _YELLOW, _NOTHING: _DIM}


def _mark(message_id: str, held: frozenset[str], ghosts: frozenset[str]) -> str:
    if message_id in held:
        return _HELD
    return _GHOST if message_id in ghosts else _NOTHING


def _session(session: SyncSession) -> tuple[str, ...]:
    number = session.number
    return (
        f"{session.caller} calls {session.answerer}",
        str(number("rounds")),
        str(number("asked")),
        f"{number('reconciliation_octets'):,}",
        _claims(number("claims_in"), number("claim_octets_in")),
        _claims(number("claims_out"), number("claim_octets_out")),
    )


def _claims(number: int, data: int) -> str:
    return f"{number} ({data:,})" if number else "0"


def _excerpt(explanation: str) -> Iterator[str]:
    """The lines of ``weft explain`` that matter here: the edge, its rule, and whose word it is."""
    wanted = ("<", "parent", "because", "subject", "from", "claim")
    for line in explanation.splitlines():
        if line.lstrip().startswith(wanted) or _SAYS in line:
            yield line


def _left(kept: str | None) -> str:
    if kept is None:
        return "Nothing is left behind."
    return f"The indexes stay in {kept}, with keys, policies and logs."
