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
_POLICY = ("core/test_policy.py",)
_SERVED = "return _admitted(policy) & _named(row.may_read, policy)"
_ADMITTED = "taken = _admitted(policy) & _named(row.may_feed, policy)"
_GIVES = (
    "            and self._agreement.sends(feed)\n",
    "            and self._setup.policy.may_read(self._setup.peer, feed)\n",
)
_TAKES = (
    "            and self._agreement.takes(feed)\n",
    "            and self._setup.policy.may_feed(self._setup.peer, feed)\n",
)
_KNOWN_ROOT = "if signed.root in {one.root for one in self._verified}:\n"

RIGHTS = (
    Mutant("may_read lets everybody", "core/policy.py", "feed in row.may_read and self.admits(feed)",
           "self.admits(feed)", _POLICY),
    Mutant("may_read of feeds that are not admitted", "core/policy.py",
           "feed in row.may_read and self.admits(feed)", "feed in row.may_read", _POLICY),
    Mutant("may_feed lets everybody", "core/policy.py",
           "return feed in row.may_feed or (feed.origin == self.own and bool(row.may_feed))", "return True", _POLICY),
    Mutant("may_feed of what is not admitted", "core/policy.py", "if row is None or not self.admits(feed):",
           "if row is None:", _POLICY),
    Mutant("mirror_of lets everybody", "core/policy.py",
           "return row is not None and (feed.origin == peer or feed in row.mirror_of)", "return row is not None",
           _POLICY),
    Mutant("a hello serves what the peer may not read", "exchange/feeds.py", _SERVED, "return _admitted(policy)",
           _AGREEMENT),
    Mutant("a hello admits what the peer may not feed", "exchange/feeds.py", _ADMITTED, "taken = _admitted(policy)",
           _AGREEMENT),
    Mutant("a hello names private lists", "exchange/feeds.py", " if feed in named or policy.may_read(peer, feed)", "",
           _AGREEMENT),
    Mutant("a session gives without may_read", "exchange/session.py", "".join(_GIVES), _GIVES[0], _RIGHTS),
    Mutant("a session gives what is not agreed on", "exchange/session.py", "".join(_GIVES), _GIVES[1],
           _RIGHTS),
    Mutant("a session takes without may_feed", "exchange/session.py", "".join(_TAKES), _TAKES[0], _RIGHTS),
    Mutant("a session takes what is not agreed on", "exchange/session.py", "".join(_TAKES), _TAKES[1],
           _RIGHTS),
    Mutant("who may read all is not asked", "rpc/credentials.py",
           "if row is None or not row.may_read.everything:", "if row is None:",
           ("rpc/test_credentials.py", "rpc/test_serve.py")),
    Mutant("coverage believes every peer", "index/covering.py", "if one.covers(feed) and believed(one.peer, feed)",
           "if one.covers(feed)", ("index/test_covering.py",)),
    Mutant("what was mirrored is carried, whoever said so", "rpc/exchange_desk.py",
           "Feeds(exchange.lists) & carried_by(policy, exchange.peer)", "Feeds(exchange.lists)",
           ("rpc/test_exchange_desk.py",)),
    Mutant("mirror_of is ignored in what is carried", "exchange/feeds.py",
           "return Feeds({peer: ALL_LISTS}) | _named(row.mirror_of, policy)", "return Feeds({peer: ALL_LISTS})",
           _AGREEMENT),
    Mutant("offers find out about other feeds", "rpc/desk.py",
           "for one in self._look_up(elements) if self._feed(one.batch) in feeds}",
           "for one in self._look_up(elements)}", _RIGHTS),
    Mutant("claims are kept of feeds that the policy does not admit", "index/admission.py",
           "if not policy.admits(Feed(signed.origin, signed.list)):", "if False:", ("rpc/test_exchange_desk.py",)),
)  # fmt: skip

LIMITS = (
    Mutant("a question has no slices", "rpc/desk.py", "if cost >= _SLICE:", "if False:", ("rpc/test_slices.py",)),
    Mutant("claims_per_day is ignored", "exchange/taking.py", '"claims_per_day" if claims >= self._claims else ', "",
           _RIGHTS),
    Mutant("bytes_per_day is ignored", "exchange/taking.py", '"bytes_per_day" if octets >= self._octets else ""',
           '""', _RIGHTS),
    Mutant("what was used today is forgotten", "exchange/session.py",
           "Quota(row.claims_per_day, row.bytes_per_day, setup.used)",
           "Quota(row.claims_per_day, row.bytes_per_day, {})", _RIGHTS),
    Mutant("a quota does not end a session", "exchange/taking.py", "        self._quota.check()\n", "", _RIGHTS),
    Mutant("a spent feed is agreed on", "exchange/session.py", "self._quota.spent(),", "(),", _RIGHTS),
    Mutant("refused claims cost no quota", "exchange/taking.py",
           "        self._quota.use(refusal.feed, 1, refusal.size)\n", "", ("exchange/test_refused.py",)),
    Mutant("refused claims are forgotten for quotas of later sessions", "rpc/exchange_desk.py",
           "        self._memory.count(peer, {refusal.feed: Used(1, refusal.size)})\n", "",
           ("rpc/test_exchange_limits.py::test_what_is_remembered_of_a_claim_is_its_element",)),
    Mutant("streams is ignored", "rpc/exchange_server.py", "if self._sessions[peer] >= row.streams:", "if False:",
           ("rpc/test_exchange_limits.py::test_who_has_as_many_sessions_as_its_row_says_gets_no_more",)),
    Mutant("calls are not counted", "rpc/exchange_server.py",
           "            self._rate.take(peer, time.monotonic())\n", "",
           ("rpc/test_exchange_limits.py::test_who_calls_too_often_is_told_the_limit",)),
)  # fmt: skip

PROOFS = (
    Mutant("signatures are remembered by the root alone", "exchange/proofs.py",
           "if signed in self._verified:\n", _KNOWN_ROOT,
           ("exchange/test_hostile.py",)),
    Mutant("a claim of another feed is refused and remembered", "exchange/proofs.py",
           '            raise RemoteProtocolError("claims: one is of another feed than its batch")\n',
           '            refused.append(Refusal(identity, "another feed", feed, len(octets)))\n            continue\n',
           ("exchange/test_refused.py",)),
    Mutant("signatures are not verified", "exchange/proofs.py", "        verify_root(signed)\n", "",
           ("exchange/test_hostile.py",)),
    Mutant("a claim that was not wanted is taken", "exchange/proofs.py",
           "        check_wanted(identities, wanted)\n", "", ("exchange/test_hostile.py",)),
    Mutant("what was refused is covered", "exchange/asking.py", "self._taken.without(self._refused.feeds)",
           "self._taken", ("exchange/test_refused.py",)),
    Mutant("what was refused is covered where it is mirrored", "exchange/session.py",
           "whole.without(self._refused.feeds)", "whole", ("exchange/test_refused.py",)),
    Mutant("an id with too many claims is covered", "exchange/asking.py", "frozenset(self._asked - self._unread)",
           "frozenset(self._asked)", ("exchange/test_refused.py",)),
    Mutant("contested ids are not followed", "rpc/own_trees.py",
           "lower = (*lower, *self.contested.get(node, ()))", "pass",
           ("exchange/test_threads.py", "rpc/test_own_trees.py")),
    Mutant("only the common view is asked about", "rpc/own_trees.py", "for forest in (common, ranked):",
           "for forest in (common,):", ("rpc/test_own_trees.py",)),
)  # fmt: skip

MUTANTS: tuple[Mutant, ...] = (*RIGHTS, *LIMITS, *PROOFS)
