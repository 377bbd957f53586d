"""Checking: the view made again in memory, beside the one on disk; and two views beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from sqlite3 import DatabaseError

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core.claim import Claim, Withdrawal
from weft.core.cycle_cutting import CUT, WITNESS_RANK, NodeState
from weft.core.date import MISSING, parse_date, plausible
from weft.core.forest import NONE
from weft.core.incremental_forest import IncrementalForest
from weft.core.signing import public_key
from weft.index.aliases import alias_nodes
from weft.index.claim_filter import ClaimFilter, resolve, sure_nodes
from weft.index.ingest import sign_batches
from weft.index.recency import wrong_roots
from weft.index.sync_history import name_of
from weft.index.view import View
from weft.model import EdgeDifference, Problem, Thread
from weft.policy.rules import Policy
from weft.store.interface import PAGE, InsertedClaim, StoredClaim, VerifiedClaim, read_claim
from weft.store.recovery import note_loss
from weft.store.sqlite import SqliteStore


class MemoryNodes:
    """The nodes of a forest in memory: about 250 bytes each."""

    def __init__(self, store: SqliteStore) -> None:
        """``store`` knows their ids."""
        self.states: dict[int, NodeState] = {}
        self.dates: dict[int, tuple[int, int]] = {}
        self.lists: dict[int, tuple[bytes, ...]] = {}
        self.aliases: set[tuple[int, bytes, int]] = set()
        """(position, alias, node) of each alias that a claim states."""
        self._children: dict[int, dict[int, None]] = {}
        self._store = store

    def state(self, node: int) -> NodeState:
        """The one state of a node."""
        found = self.states.get(node)
        if found is None:
            found = self.states[node] = NodeState()
        return found

    def is_claimed(self, node: int) -> bool:
        """Whether a claim is about a node."""
        found = self.states.get(node)
        return found is not None and found.rank < WITNESS_RANK

    def children(self, node: int) -> Iterator[int]:
        """The nodes whose parent is ``node``."""
        return iter(tuple(self._children.get(node, ())))

    def message_id(self, node: int) -> bytes:
        """The id of a node; asked to break ties only."""
        return self._store.ids_of([node])[0]

    def moved(self, node: int, old: int, new: int) -> None:
        """The parent of a node has changed."""
        if old != NONE:
            del self._children[old][node]
        if new != NONE:
            self._children.setdefault(new, {})[node] = None


def forest_of(store: SqliteStore, policy: Policy) -> MemoryNodes:
    """The whole view of a policy, from the log alone."""
    claim_filter = ClaimFilter(policy, withdrawn_by(store, policy))
    claim_filter.aliases = alias_nodes(store, policy)
    nodes = MemoryNodes(store)
    forest = IncrementalForest(nodes)
    for stored, claim in counted_claims(store, claim_filter, nodes.is_claimed):
        for node in sure_nodes(stored, claim_filter.aliases):
            nodes.state(node)
        nodes.aliases.update((stored.position, alias, stored.node) for alias in claim.aliases)
        interpreted = claim_filter.interpret(stored, claim)
        forest.add(interpreted)
        lists = nodes.lists.get(stored.node, ())
        if claim.list not in lists:
            nodes.lists[stored.node] = (*lists, claim.list)
        seconds = plausible(parse_date(claim.date)[0])
        tier, known = nodes.dates.get(stored.node, (256, MISSING))
        if interpreted.tier < tier or (
            interpreted.tier == tier and seconds != MISSING and not MISSING < known <= seconds
        ):
            nodes.dates[stored.node] = (interpreted.tier, seconds)
        forest.dirty.clear()
    return nodes


def counted_claims(
    store: SqliteStore,
    claim_filter: ClaimFilter,
    is_claimed: Callable[[int], bool],
    read: Callable[[int], None] = lambda _: None,
    size: int = PAGE,
) -> Iterator[tuple[InsertedClaim, Claim]]:
    """The claims that count, those with weak ids last: by then it is known what the others are about.

    ``is_claimed``: whether a claim that was given and heard is about a node.
    ``read``: told of each page how many claims it had.
    """
    doubtful: list[tuple[InsertedClaim, Claim]] = []
    after = 0
    while page := store.log(after, size):
        for stored in resolve(store, [held for held in page if held.data]):
            claim = stored.claim.parsed
            if not isinstance(claim, Claim) or claim_filter.hidden(stored.claim.identity, claim):
                continue
            if claim.doubtful:
                doubtful.append((stored, claim))
            else:
                yield stored, claim
        after = page[-1].position
        read(len(page))
    about = {stored.node for stored, _ in doubtful}
    claim_filter.claimed = lambda node: node in about or is_claimed(node)
    yield from doubtful


def withdrawn_by(store: SqliteStore, policy: Policy) -> set[bytes]:
    """The ids of claims that withdrawals which count take back."""
    return {target for target, _, valid in _withdrawals(store, policy) if valid}


def _withdrawals(store: SqliteStore, policy: Policy) -> Iterator[tuple[bytes, int, bool]]:
    """(target, position, whether it takes the target back) of each withdrawal that counts under a policy."""
    claim_filter = ClaimFilter(policy, set())
    after = 0
    while page := store.log(after, PAGE):
        interpreted = [
            (held.position, withdrawal)
            for held in page
            if isinstance(withdrawal := read_claim(held), Withdrawal)
            and not claim_filter.hidden(held.identity, withdrawal)
        ]
        targets = {held.identity: held for held in store.get([one.target for _, one in interpreted])}
        for position, withdrawal in interpreted:
            yield withdrawal.target, position, _withdraws(store, withdrawal, targets.get(withdrawal.target))
        after = page[-1].position


def _withdraws(store: SqliteStore, withdrawal: Withdrawal, held: StoredClaim | None) -> bool:
    """Whether it takes back a claim that is held; of one whose bytes are gone, whether that is of the same feed."""
    if held is None:
        return False
    if not held.data:
        return store.feed(held.batch) == withdrawal.feed
    claim = read_claim(held)
    return isinstance(claim, Claim) and withdrawal.withdraws(held.identity, claim)


def check(store: SqliteStore, view: View) -> Iterator[Problem]:
    """What is wrong: damaged claims and proofs first, then derived rows that are not what the claims say."""
    if ended := store.missing_end():
        yield Problem(
            f"claims are missing: the log ended at {ended} and ends at {store.position()} now; its write-ahead log "
            f"({store.path.name}-wal) was lost, or this is an older copy; ingest the mail again, and exchange with "
            "peers",
            False,
        )
    damaged = False
    for problem in store.check():
        damaged = True
        yield Problem(str(problem), False)
    if damaged:
        return
    for part in (_check_nodes, _check_withdrawals, _check_exchanges):
        try:
            yield from part(store, view)
        except DatabaseError as error:
            yield Problem(f"view: it cannot be read: {error}", True)
    yield from view.check_search()


def _check_nodes(store: SqliteStore, view: View) -> Iterator[Problem]:
    wanted = forest_of(store, view.policy)
    rows = store.connection.execute("SELECT node, rank, said, parent, loop, date FROM nodes ORDER BY node")
    seen = set()
    for node, rank, said, parent, loop, date in rows:
        seen.add(node)
        state = wanted.states.get(node)
        if state is None:
            yield Problem(f"view: node {node} has a row, and no claim counts that names it", True)
            continue
        if (rank, said, parent, loop) != (state.rank, state.stated_parent, state.parent, state.cycle_state):
            yield Problem(f"view: the edge of {_name(store, node)} is not what the claims say", True)
        _, seconds = wanted.dates.get(node, (0, MISSING))
        if date != (None if seconds == MISSING else seconds):
            yield Problem(f"view: the date of {_name(store, node)} is not what the claims say", True)
    for node in wanted.states.keys() - seen:
        yield Problem(f"view: {_name(store, node)} has no row", True)
    for node in sorted(view.rivals.wrong()):
        yield Problem(f"view: the rival parents of node {node} are not what the claims say", True)
    for position in sorted({position for position, _, _ in view.aliases.rows() ^ wanted.aliases}):
        yield Problem(f"view: the aliases of the claim at {position} are not what it says", True)
    parents = {node: state.parent for node, state in wanted.states.items()}
    dates = {node: None if seconds == MISSING else seconds for node, (_, seconds) in wanted.dates.items()}
    for root in sorted(wrong_roots(store.connection, parents, dates, wanted.lists)):
        yield Problem(f"view: what is listed of the tree of node {root} is not what the claims say", True)


def _check_withdrawals(store: SqliteStore, view: View) -> Iterator[Problem]:
    wanted = set(_withdrawals(store, view.policy))
    valid = {target for target, _, takes in wanted if takes}
    wanted = {(target, position, target in valid) for target, position, _ in wanted}
    rows = store.connection.execute("SELECT target, position, valid FROM withdrawals")
    found = {(bytes(target), position, bool(valid)) for target, position, valid in rows}
    for position in sorted({position for _, position, _ in wanted ^ found}):
        yield Problem(f"view: what the withdrawal at {position} takes back is not what the claims say", True)


def _check_exchanges(_: SqliteStore, view: View) -> Iterator[Problem]:
    for peer in view.exchanges.wrong():
        yield Problem(f"exchanges: what {name_of(peer)} was asked cannot be read, and counts as never asked", True)


def repair(store: SqliteStore, view: View, key: Ed25519PrivateKey) -> list[Problem]:
    """Make again what is derived, and sign anew what is ours and proves nothing; what is lost is in the answer."""
    ended = store.missing_end()
    lost = [Problem(str(problem), False) for problem in store.repair()]
    if ended:
        lost.append(Problem(f"claims up to {ended} that are not in the log any more", False))
    store.note_end()
    own = public_key(key)
    with store.transaction():
        unproved = [(held, claim) for held in store.unproved() if (claim := read_claim(held)) and claim.origin == own]
        view.exchanges.forget(list(view.exchanges.wrong()))
        store.put(sign_batches(key, (VerifiedClaim(0, one.identity, one.data, claim) for one, claim in unproved)))
        if lost:  # the mail that is lost may still be in the files, and peers may have it
            note_loss(store.connection)
            for file in store.files().values():
                store.file(replace(file, size=0, mtime_ns=0, inode=0, resume=0, head=b"", tail=b""))
    view.remake()
    return lost


def compare(store: SqliteStore, first: Policy, second: Policy) -> Iterator[EdgeDifference]:
    """Each id whose parent differs between two policies, in order of the ids, with the reason."""
    one, other = forest_of(store, first), forest_of(store, second)
    nodes = [
        node
        for node in sorted(one.states.keys() | other.states.keys())
        if one.states.get(node, _NOTHING).parent != other.states.get(node, _NOTHING).parent
    ]
    for literal, node in sorted(zip(store.ids_of(nodes), nodes, strict=True)):
        states = one.states.get(node, _NOTHING), other.states.get(node, _NOTHING)
        parents = [None if state.parent == NONE else _name(store, state.parent) for state in states]
        reason = f"first: {_rule(states[0])}; second: {_rule(states[1])}"
        yield EdgeDifference(literal.decode("utf-8", "surrogateescape"), parents[0], parents[1], reason)


def common_differences(store: SqliteStore, policy: Policy, thread: Thread) -> int:
    """In how many of a thread's ids the common view has another parent."""
    if not policy.origins and policy == Policy(policy.own, peers=policy.peers, retention=policy.retention):
        return 0
    ids = [message.id.encode("utf-8", "surrogateescape") for message in thread.messages]
    ghosts = [literal for literal, message in zip(ids, thread.messages, strict=True) if message.ghost]
    found = [*_all(store, store.claims_about, ids), *_all(store, store.claims_referring_to, ghosts)]
    claim_filter = ClaimFilter(policy.common(), set())
    withdrawals = _commonly_withdrawn(store, claim_filter, found)
    nodes = MemoryNodes(store)
    forest = IncrementalForest(nodes)
    for stored in found:
        identity, claim = stored.claim.identity, stored.claim.parsed
        if not isinstance(claim, Claim) or claim_filter.hidden(identity, claim):
            continue
        if not any(withdrawal.withdraws(identity, claim) for withdrawal in withdrawals.get(identity, ())):
            forest.add(claim_filter.interpret(stored, claim))
    differing = 0
    for node, message in zip(store.node_numbers(ids), thread.messages, strict=True):
        parent = NONE if node is None else nodes.state(node).parent
        name = None if parent == NONE else _name(store, parent)
        differing += name != message.parent
    return differing


def _commonly_withdrawn(
    store: SqliteStore, claim_filter: ClaimFilter, claims: Sequence[InsertedClaim]
) -> dict[bytes, list[Withdrawal]]:
    """The withdrawals of some claims, by their targets; those too that are muted here."""
    found: dict[bytes, list[Withdrawal]] = {}
    about = {stored.claim.parsed.message_id for stored in claims}
    for stored in _all(store, store.claims_about, list(about)):
        withdrawal = stored.claim.parsed
        if isinstance(withdrawal, Withdrawal) and not claim_filter.hidden(stored.claim.identity, withdrawal):
            found.setdefault(withdrawal.target, []).append(withdrawal)
    return found


def _all(
    store: SqliteStore, ask: Callable[[Sequence[bytes], int], list[StoredClaim]], ids: Sequence[bytes]
) -> list[InsertedClaim]:
    """All that ``ask`` finds of some ids."""
    found: list[InsertedClaim] = []
    after = 0
    while page := ask(ids, after):
        found += resolve(store, page)
        after = page[-1].position
    return found


_NOTHING = NodeState()


def _rule(state: NodeState) -> str:
    if state.cycle_state == CUT:
        return "a cycle is cut there"
    if state.tier == 255:
        return "nobody says" if state.edge == NONE else "witnesses in References of others"
    if state.contested:
        return f"contested in tier {state.tier}"
    return f"its own headers, in tier {state.tier}"


def _name(store: SqliteStore, node: int) -> str:
    return store.ids_of([node])[0].decode("utf-8", "surrogateescape")
