# ruff: noqa: E501 - pieces of code stand as they are
"""The planted faults: what is changed where, and which tests must notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of one place of the source."""

    name: str
    path: str
    """Below ``src/weft``."""
    old: str
    """It stands in the file once."""
    new: str
    tests: tuple[str, ...]
    """What is given to pytest, below ``tests``."""


_AGREEMENT = ("exchange/test_agreement.py",)
_RIGHTS = ("exchange/test_rights.py",)
_POLICY = ("policy/test_rules.py",)
_SERVED = "return _admitted(policy) & _named(row.may_read, policy)"
_ADMITTED = "taken = _admitted(policy) & _named(row.may_feed, policy)"
_GIVES = (
    "            and self._agreement.sends(feed)\n",
    "            and self._configuration.policy.may_read(self._configuration.peer, feed)\n",
)
_TAKES = (
    "            and self._agreement.takes(feed)\n",
    "            and self._configuration.policy.may_feed(self._configuration.peer, feed)\n",
)
_KNOWN_ROOT = "if signed.root in {one.root for one in self._verified}:\n"

RIGHTS = (
    Mutant("may_read lets everybody", "policy/rules.py", "feed in row.may_read and self.admits(feed)",
           "self.admits(feed)", _POLICY),
    Mutant("may_read of feeds that are not admitted", "policy/rules.py",
           "feed in row.may_read and self.admits(feed)", "feed in row.may_read", _POLICY),
    Mutant("may_feed lets everybody", "policy/rules.py",
           "return feed in row.may_feed or (feed.origin == self.own and bool(row.may_feed))", "return True", _POLICY),
    Mutant("may_feed of what is not admitted", "policy/rules.py", "if row is None or not self.admits(feed):",
           "if row is None:", _POLICY),
    Mutant("mirror_of lets everybody", "policy/rules.py",
           "return row is not None and (feed.origin == peer or feed in row.mirror_of)", "return row is not None",
           _POLICY),
    Mutant("a hello serves what the peer may not read", "policy/feed_ranges.py", _SERVED, "return _admitted(policy)",
           _AGREEMENT),
    Mutant("a hello admits what the peer may not feed", "policy/feed_ranges.py", _ADMITTED, "taken = _admitted(policy)",
           _AGREEMENT),
    Mutant("a hello names private lists", "policy/feed_ranges.py", " if feed in named or policy.may_read(peer, feed)", "",
           _AGREEMENT),
    Mutant("a session gives without may_read", "exchange/session.py", "".join(_GIVES), _GIVES[0], _RIGHTS),
    Mutant("a session gives what is not agreed on", "exchange/session.py", "".join(_GIVES), _GIVES[1],
           _RIGHTS),
    Mutant("a session takes without may_feed", "exchange/session.py", "".join(_TAKES), _TAKES[0], _RIGHTS),
    Mutant("a session takes what is not agreed on", "exchange/session.py", "".join(_TAKES), _TAKES[1],
           _RIGHTS),
    Mutant("who may read all is not asked", "server/access.py",
           "if row is None or not row.may_read.everything:", "if row is None:",
           ("server/test_access.py",)),
    Mutant("coverage believes every peer", "index/coverage.py", "if one.covers(feed) and believed(one.peer, feed)",
           "if one.covers(feed)", ("index/test_coverage.py",)),
    Mutant("what was mirrored is carried, whoever said so", "peering/index_backend.py",
           "FeedRanges(exchange.lists) & carried_by(policy, exchange.peer)", "FeedRanges(exchange.lists)",
           ("peering/test_index_backend.py",)),
    Mutant("mirror_of is ignored in what is carried", "policy/feed_ranges.py",
           "return FeedRanges({peer: ALL_LISTS}) | _named(row.mirror_of, policy)", "return FeedRanges({peer: ALL_LISTS})",
           _AGREEMENT),
    Mutant("offers find out about other feeds", "exchange/store_backend.py",
           "for one in self._look_up(elements) if self._feed(one.batch) in feeds}",
           "for one in self._look_up(elements)}", _RIGHTS),
    Mutant("claims are kept of feeds that the policy does not admit", "index/admission.py",
           "if not policy.admits(Feed(signed.origin, signed.list)):", "if False:", ("peering/test_index_backend.py",)),
)  # fmt: skip

LIMITS = (
    Mutant("listings and sketches are of all feeds", "exchange/store_backend.py",
           "return (held for held in claims if self._feed(held.batch) in feeds)", "return iter(claims)",
           ("exchange/test_session.py",)),
    Mutant("a question has no slices", "exchange/store_backend.py", "if cost >= _SLICE:", "if False:", ("server/test_slices.py",)),
    Mutant("claims_per_day is ignored", "exchange/claim_receiver.py", '"claims_per_day" if claims >= self._claims else ', "",
           _RIGHTS),
    Mutant("bytes_per_day is ignored", "exchange/claim_receiver.py", '"bytes_per_day" if data >= self._bytes else ""',
           '""', _RIGHTS),
    Mutant("what was used today is forgotten", "exchange/session.py",
           "Quota(row.claims_per_day, row.bytes_per_day, configuration.used)",
           "Quota(row.claims_per_day, row.bytes_per_day, {})", _RIGHTS),
    Mutant("sessions of a peer at the same time have a quota each", "exchange/claim_receiver.py",
           "        self._quota.know(committed.used)\n", "", _RIGHTS),
    Mutant("a quota does not end a session", "exchange/claim_receiver.py", "        self._quota.check()\n", "", _RIGHTS),
    Mutant("a spent feed is agreed on", "exchange/session.py", "self._quota.spent(),", "(),", _RIGHTS),
    Mutant("refused claims cost no quota", "exchange/claim_receiver.py",
           "        self._quota.use(refusal.feed, 1, refusal.size)\n", "", ("exchange/test_refused.py",)),
    Mutant("refused claims are forgotten for quotas of later sessions", "peering/index_backend.py",
           "        self._index.count_received(Delivery(peer, today(), sums))\n", "",
           ("peering/test_peer_state.py::test_what_is_remembered_of_a_claim_is_its_element",)),
    Mutant("streams is ignored", "peering/listener.py", "if self._sessions[peer] >= row.streams:", "if False:",
           ("peering/test_peer_state.py::test_who_has_as_many_sessions_as_its_row_says_gets_no_more",)),
    Mutant("calls are not counted", "peering/listener.py",
           "            self._rate.take(peer, time.monotonic())\n", "",
           ("peering/test_peer_state.py::test_who_calls_too_often_is_told_the_limit",)),
)  # fmt: skip

PROOFS = (
    Mutant("signatures are remembered by the root alone", "exchange/claim_proofs.py",
           "if signed in self._verified:\n", _KNOWN_ROOT,
           ("exchange/test_hostile.py",)),
    Mutant("a claim of another feed is refused and remembered", "exchange/claim_proofs.py",
           '            raise RemoteProtocolError("claims: one is of another feed than its batch")\n',
           '            refused.append(Refusal(identity, "another feed", feed, len(data)))\n            continue\n',
           ("exchange/test_refused.py",)),
    Mutant("signatures are not verified", "exchange/claim_proofs.py", "        verify_root(signed)\n", "",
           ("exchange/test_hostile.py",)),
    Mutant("a claim that was not wanted is taken", "exchange/claim_proofs.py",
           "        check_wanted(identities, wanted)\n", "", ("exchange/test_hostile.py",)),
    Mutant("what was refused is covered", "exchange/thread_requester.py", "self._taken.without(self._refused.feeds)",
           "self._taken", ("exchange/test_refused.py",)),
    Mutant("what was refused is covered where it is mirrored", "exchange/session.py",
           "whole.without(self._refused.feeds)", "whole", ("exchange/test_refused.py",)),
    Mutant("an id with too many claims is covered", "exchange/thread_requester.py", "frozenset(self._asked - self._unread)",
           "frozenset(self._asked)", ("exchange/test_refused.py",)),
    Mutant("contested ids are not followed", "exchange/own_threads.py",
           "(*self.placed.get(node, ()), *self.contested.get(node, ()))", "self.placed.get(node, ())",
           ("exchange/test_threads.py", "exchange/test_own_threads.py")),
    Mutant("only the common view is asked about", "exchange/own_threads.py", "for forest in (common, ranked):",
           "for forest in (common,):", ("exchange/test_own_threads.py",)),
)  # fmt: skip

MUTANTS: tuple[Mutant, ...] = (*RIGHTS, *LIMITS, *PROOFS)
