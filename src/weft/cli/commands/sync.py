"""``weft sync``: one exchange with each of some peers, or of all that have an address, now.

``--json`` gives one object: ``format`` (1), ``common_view`` (the id of the common view afterwards), ``sessions``: for
each peer ``peer`` (a fingerprint), ``address``, ``mode`` (how this server takes what the peer hands it: ``mirror`` or
``threads``), ``error`` (null if it came to its end) and, if it did, ``rounds``, ``listed``, ``asked`` (message ids that
were asked about), ``cut`` (roots of threads that were too large to be asked for whole), ``reconciliation_octets`` (all
bytes of frames beside those of claims with their proofs), ``claims_in``, ``claims_out``, ``claim_octets_in``,
``claim_octets_out``, ``proof_octets_in``, ``gone`` and ``refused`` (numbers by reason), and ``digests``: ``before`` and
``after``, each with the ``common_view`` of this server and its number of ``threads``, and ``changed_threads``: how many
of its threads are new or another since.

The digests of the peer are not there: an exchange is about claims, no frame of it tells of threads, and who is a peer
need not answer clients.  ``weft diff`` compares two servers that do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._grpc_log import silence
from weft.cli._options import index_options, open_index, say
from weft.cli._output import message_options
from weft.cli._tables import print_json
from weft.errors import NotFoundError, WeftError

if TYPE_CHECKING:
    from weft.exchange.events import SessionReport
    from weft.model import CommonSummary, ThreadDigest
    from weft.policy.rows import Mode
    from weft.policy.rules import Policy

Done = tuple[str, bytes, "Mode", "SessionReport | WeftError", dict[str, object]]
"""(address, peer, how we take what it has, what came of it, what it did to our threads)."""


@click.command("sync")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--mode",
    type=click.Choice(["threads", "mirror"]),
    help="Fetch the rest of our own threads, or all that the peer may hand us; default: as its row says.",
)
@click.option("--json", "as_json", is_flag=True, help='For programs: "format" 1, "sessions", "common_view".')
@index_options
@message_options
@click.pass_context
def command(
    context: click.Context,
    addresses: tuple[str, ...],
    mode: Mode | None,
    as_json: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Exchange claims with peers, once, now.

    In mode threads this server asks for the rest of the threads that hold its own messages; in mode mirror it takes all
    that the peer may hand it.  The peer does what its own policy says of this server.

    ADDRESS is the HOST:PORT, the name or the fingerprint of a peer, as weft peers list shows it.  Without one, it is
    every peer with an address, one after the other.

    \b
    weft sync
    weft sync 127.0.0.1:7431
    weft sync --json alice bob
    weft sync --mode mirror alice
    """
    from weft.policy.files import index_path

    silence()
    place = index_path(index)
    with open_index(str(place), config) as opened:
        policy = opened.policy
    peers = [_peer(policy, address) for address in addresses] if addresses else _all_peers(policy)
    threads = _Threads(place, policy) if as_json else None
    done = asyncio.run(_sync(place, policy, peers, mode, threads))
    with open_index(str(place), config) as opened:
        deleted = opened.erasure.delete(int(time.time()))
    if threads is not None:
        view = threads.summary.common_view
        print_json({"format": 1, "common_view": view, "sessions": [_object(one) for one in done]})
    failed = [(address, result) for address, _, _, result, _ in done if isinstance(result, WeftError)]
    for address, error in failed:
        say(f"{address}: {error.advised}" if address not in str(error) else error.advised)
    if not as_json and not quiet:
        for address, _, taken, result, _ in done:
            if not isinstance(result, WeftError):
                say(f"{address}: {_line(taken, result)}")
        if deleted:
            say(f"{count(deleted, 'withdrawn claim')} deleted here")
    if failed:
        context.exit(3 if len(failed) < len(done) else 1)


def _peer(policy: Policy, text: str) -> tuple[str, bytes]:
    """The address and key of the peer that is meant."""
    from weft.core.signing import fingerprint

    silent = None
    for key, row in policy.peers.items():
        if text in (row.address, row.name, fingerprint(key)) and text:
            if row.address:
                return row.address, key
            silent = key
    if silent is None:
        raise NotFoundError(f"{text}: no peer has this address or name; {_advice()}")
    name = policy.peers[silent].name
    raise NotFoundError(
        f"{text} is a peer without an address: only it can call us; give one with: "
        f"weft peers add {fingerprint(silent)} {f'--name {name} ' if name else ''}--address HOST:PORT"
    )


def _all_peers(policy: Policy) -> list[tuple[str, bytes]]:
    """All that can be called."""
    found = [(row.address, key) for key, row in policy.peers.items() if row.address]
    if not found:
        raise NotFoundError(f"no peer has an address; {_advice('one')}")
    return found


def _advice(what: str = "it") -> str:
    return f"add {what} with: weft peers add FINGERPRINT --address HOST:PORT"


class _Threads:
    """Our own threads in the common view, looked at again after each session that changed the index."""

    def __init__(self, place: Path, policy: Policy) -> None:
        self._place, self._policy = place, policy
        self._state = b""
        self.summary: CommonSummary
        self._digests: list[ThreadDigest] = []
        self._look()

    def changes(self) -> dict[str, object]:
        """What is another since the last look."""
        from weft.compare import differing

        before, known = self.summary, self._digests
        self._look()
        changed = sum(one.second is not None for one in differing(known, self._digests))
        return {"before": _shown(before), "after": _shown(self.summary), "changed_threads": changed}

    def _look(self) -> None:
        from weft.cli._sides import IndexSide
        from weft.index.common_view import state_of
        from weft.index.index import Index

        with Index.open(self._place, policy=self._policy, create=False, read_only=True) as index:
            state = state_of(index.store)
            if state != self._state:
                side = IndexSide(str(self._place), index)
                self._state, self.summary, self._digests = state, side.summary, list(side.digests())


def _shown(summary: CommonSummary) -> dict[str, object]:
    return {"common_view": summary.common_view, "threads": summary.threads}


async def _sync(
    place: Path, policy: Policy, peers: Sequence[tuple[str, bytes]], mode: Mode | None, threads: _Threads | None
) -> list[Done]:
    from weft.peering.dialer import Dialer
    from weft.peering.index_backend import BackendThreads
    from weft.tls.identity import load_or_make_identity

    backend_threads = BackendThreads(place, policy)
    caller = Dialer(load_or_make_identity(place), backend_threads)
    done: list[Done] = []
    try:
        for address, key in peers:
            result: SessionReport | WeftError
            try:
                result = await caller.exchange(address, key, policy, mode)
            except WeftError as error:
                result = error
            taken = mode or policy.peers[key].mode
            done.append((address, key, taken, result, {} if threads is None else threads.changes()))
    finally:
        await backend_threads.close()
    return done


def _reconciliation(report: SessionReport) -> int:
    claims = report.claim_bytes_sent + report.claim_bytes_received
    return report.bytes_sent + report.bytes_received - claims


def _object(done: Done) -> dict[str, object]:
    from weft.core.signing import fingerprint

    address, key, mode, result, digests = done
    head: dict[str, object] = {"peer": fingerprint(key), "address": address, "mode": mode}
    if isinstance(result, WeftError):
        return {**head, "error": str(result)}
    return {
        **head,
        "error": None,
        "rounds": result.rounds,
        "listed": result.listed,
        "asked": result.asked,
        "cut": [root.decode("utf-8", "surrogateescape") for root in result.cut],
        "reconciliation_octets": _reconciliation(result),
        "claims_in": result.claims_received,
        "claims_out": result.claims_sent,
        "claim_octets_in": result.claim_bytes_received,
        "claim_octets_out": result.claim_bytes_sent,
        "proof_octets_in": result.proof_bytes_received,
        "gone": result.gone,
        "refused": result.refused,
        "digests": digests,
    }


def _line(mode: Mode, report: SessionReport) -> str:
    refused = sum(report.refused.values())
    parts = [
        f"{count(report.claims_received, 'claim')} in, {report.claims_sent} out",
        *([f"asked about {count(report.asked, 'id')} in {count(report.rounds, 'round')}"] if mode == "threads" else []),
        f"{_reconciliation(report)} bytes to find the difference",
        *([f"{refused} refused ({', '.join(sorted(report.refused))})"] if refused else []),
        *([f"{report.gone} gone"] if report.gone else []),
        *([f"{count(len(report.cut), 'thread')} too large to be asked for whole"] if report.cut else []),
    ]
    return ", ".join(parts)
