"""Four servers that each hold a part of one thread, and what ``weft show`` says of it on each, as they are connected.

The ids that x, y1, y2 and z name are v, a, q; p, t; q, w; and v, b, p.  So on a path of the four nobody is asked about
what is held two steps away, although all are connected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tests.cli.server_home import Home
from tests.factories import mail
from tests.peering.index_meetings import Server, until_quiet
from tests.peering.peer_harness import fingerprint
from weft import Index
from weft.policy.rules import Policy

HUB = "hub"
MAIL = {
    "x": mail("a@v.example", ["v@v.example"]) + mail("q@v.example", ["v@v.example", "a@v.example"]),
    "y1": mail("t@v.example", ["p@v.example"]),
    "y2": mail("w@v.example", ["q@v.example"]),
    "z": mail("b@v.example", ["v@v.example"]) + mail("p@v.example", ["v@v.example", "b@v.example"]),
}
OWN = {"x": "q", "y1": "t", "y2": "w", "z": "p"}
"""A message of each."""

WHOLE = "list 6 messages, 1 list, 1 not seen here"

Rows = dict[str, dict[str, str]]
"""What the policy of each server says of each of its peers."""


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    """The four with their mail, and one without."""
    found = {}
    for name in (*MAIL, HUB):
        found[name] = Home(tmp_path / name)
        found[name].path.mkdir()
        with Index.open(found[name].index, policy=Policy()) as index:
            if name in MAIL:
                (tmp_path / f"{name}.mbox").write_bytes(MAIL[name])
                index.ingest("list", tmp_path / f"{name}.mbox")
    return found


@contextmanager
def serving(homes: Mapping[str, Home], rows: Rows) -> Iterator[dict[str, Server]]:
    """The servers that have peers; each admits what the four say."""
    keys = {name: fingerprint(home) for name, home in homes.items()}
    with ExitStack() as stack:
        servers = {}
        for name, home in homes.items():
            home.config.write_text(policy(keys, name, rows.get(name, {})))
            with Index.open(home.index, policy=home.config) as index:
                servers[name] = Server.open(name, home.index, index.policy)
            stack.callback(servers[name].backend.close)
        yield servers


def policy(keys: Mapping[str, str], name: str, peers: Mapping[str, str]) -> str:
    """The policy file of a server."""
    origins = (f'[origin."{keys[one]}"]\nname = "{one}"\ntier = 1\nlists = "*"\n' for one in MAIL if one != name)
    rows = (f'[peer."{keys[one]}"]\nname = "{one}"\nmay_read = "*"\n{row}\n' for one, row in peers.items())
    return "".join([*origins, *rows])


def asking(pairs: Sequence[tuple[str, str]]) -> Rows:
    """The rows of servers that meet in these pairs and ask each other."""
    rows: Rows = {}
    for one, other in (*pairs, *((other, one) for one, other in pairs)):
        rows.setdefault(one, {})[other] = 'may_feed = "*"'
    return rows


def around_hub(homes: Mapping[str, Home]) -> Rows:
    """The rows where all know only the hub, which mirrors what each of them says."""
    rows: Rows = {name: {HUB: 'may_feed = "*"\nmirror_of = "*"'} for name in MAIL}
    rows[HUB] = {name: f'mode = "mirror"\nmay_feed = "{fingerprint(homes[name])}"' for name in MAIL}
    return rows


def meet(servers: Mapping[str, Server], pairs: Sequence[tuple[str, str]]) -> None:
    """Let these pairs meet until nobody learns anything."""
    until_quiet([(servers[one], servers[other]) for one, other in pairs])


def origins(clause: str) -> Iterator[str]:
    """Each of the origins in "all lists of x, y1 and z via hub", with the hub."""
    for some, via in re.findall(r"all lists of (\w+(?:, (?!up to)\w+)*(?: and \w+)?)( via \w+)?", clause):
        yield from (f"{name}{via}" for name in re.split(", | and ", some))


def asked_and_never(home: Home, name: str) -> tuple[set[str], set[str]]:
    """Whose lists were asked about the thread of a server's own message, and whose never, by ``weft show``."""
    lines = shown(home, name)
    clauses = [clause.partition(": ") for line in lines[1:] for clause in line.strip().split("; ")]
    whose = {kind: set(origins(rest)) for kind, _, rest in clauses if rest}
    return whose.get("asked", set()), whose.get("never asked", set())


def shown(home: Home, name: str) -> list[str]:
    """The lines of ``weft show`` of its own message."""
    ran = home.weft("show", f"{OWN[name]}@v.example", env={"COLUMNS": "200"})
    assert ran.code == 0, ran.err
    return ran.text.splitlines()


def test_on_a_path_each_is_told_only_of_its_neighbours_and_says_whom_it_never_asked(homes: dict[str, Home]) -> None:
    pairs = list(pairwise(MAIL))
    with serving(homes, asking(pairs)) as servers:
        meet(servers, pairs)
    neighbours = {"x": {"y1"}, "y1": {"x", "y2"}, "y2": {"y1", "z"}, "z": {"y2"}}
    for name, home in homes.items():
        if name != HUB:
            never = set(MAIL) - neighbours[name] - {name}
            assert asked_and_never(home, name) == (neighbours[name], never)
            assert "never asked" in shown(home, name)[-1], "nothing is said of what nobody holds"
    assert [shown(homes[name], name)[0].split()[1] for name in MAIL] == ["2", "1", "1", "2"]


def check_whole(homes: Mapping[str, Home], via: str) -> None:
    """Fails unless each of the four shows the whole thread, and says that everybody was asked."""
    for name in MAIL:
        others = {f"{other}{via}" for other in MAIL if other != name}
        assert asked_and_never(homes[name], name) == (others, set())
        lines = shown(homes[name], name)
        assert " ".join(lines[0].split()) == WHOLE
        assert lines[-1].endswith("nobody holds what is not seen here")


def test_in_a_mesh_all_four_end_with_the_whole_thread_and_say_so(homes: dict[str, Home]) -> None:
    pairs = list(combinations(MAIL, 2))
    with serving(homes, asking(pairs)) as servers:
        meet(servers, pairs)
    check_whole(homes, "")


def test_over_a_hub_all_four_end_with_the_whole_thread_and_say_so(homes: dict[str, Home]) -> None:
    pairs = [(name, HUB) for name in MAIL]
    with serving(homes, around_hub(homes)) as servers:
        meet(servers, pairs)
    check_whole(homes, " via hub")


def test_a_hub_that_is_not_believed_completes_the_thread_and_nobody_may_say_so(homes: dict[str, Home]) -> None:
    pairs = [(name, HUB) for name in MAIL]
    rows = around_hub(homes)
    rows.update({name: {HUB: 'may_feed = "*"'} for name in MAIL})
    with serving(homes, rows) as servers:
        meet(servers, pairs)
    lines = shown(homes["x"], "x")
    assert " ".join(lines[0].split()) == WHOLE
    clauses = "; ".join(line.strip() for line in lines[-2:]).split("; ")
    assert [clause.split(":")[0] for clause in clauses][-2:] == ["in part", "never asked"]
