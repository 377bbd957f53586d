"""Mail of a world: few ids, so that copies, rivals, ghosts and cycles come about, and now and then a deep chain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from tests.store.factories import mail
from weft.core.claim import Claim
from weft.core.references import mask_of

_IDS = 25
_CHAIN = 1200
_REFERENCES = 100
_HOPS = 12


def some_mail(random: Random, count: int) -> list[Claim]:
    """Claims without origin and list, each different."""
    names = [f"{n}@x" for n in range(_IDS)]
    claims = []
    for _ in range(count):
        own, *references = random.sample(names, random.randint(1, 6))
        subject = f"{random.randrange(1 << 30)}" if random.random() < 0.7 else "s"
        reply = references[-1:] if random.random() < 0.3 else []
        claims.append(mail(own, *references, reply_to=reply, subject=subject))
    return list(dict.fromkeys(map(doubted, claims)))


def doubted(claim: Claim) -> Claim:
    """One of some claims with weak ids and aliases, for one in four each; which, follows from the claim."""
    random = Random(repr(claim))
    masks = [
        mask_of(random.random() < 0.5 for _ in ids) if random.random() < 0.25 else b""
        for ids in (claim.in_reply_to, claim.references)
    ]
    known = (*claim.references, *claim.in_reply_to, b"alias@x", b"%d@x" % random.randrange(_IDS))
    aliases = tuple({name: None for name in random.sample(known, 2) if name != claim.message_id})
    if random.random() >= 0.25:
        aliases = ()
    return claim._replace(weak_in_reply_to=masks[0], weak_references=masks[1], aliases=aliases)


def threads_mail(random: Random, count: int, conversations: Sequence[str], turns: int, bridges: float) -> list[Claim]:
    """Mail of some conversations of ``turns`` ids each; ``bridges``: the chance that a mail names ids of two."""
    claims = []
    for _ in range(count):
        conversation = random.choice(conversations)
        own, *references = (f"{n}@{conversation}" for n in random.sample(range(turns), random.randint(1, 4)))
        if random.random() < bridges:
            references.insert(0, f"{random.randrange(turns)}@{random.choice(conversations)}")
        names = [name for name in dict.fromkeys(references) if name != own]
        reply = names[-1:] if random.random() < 0.3 else []
        claims.append(mail(own, *names, reply_to=reply, subject=f"{random.randrange(1 << 30)}"))
    return list(dict.fromkeys(map(doubted, claims)))


def long_conversation(random: Random, conversation: str) -> list[Claim]:
    """A mail and replies to it, each to the one before, of which nobody can name more than the next."""
    nonce = random.randrange(1 << 30)
    names = [f"0@{conversation}", *(f"{nonce}.{n}@{conversation}" for n in range(_HOPS))]
    return [mail(name, above) for above, name in pairwise(names)]


def bomb(random: Random, root: str, count: int) -> list[Claim]:
    """Many claims that refer to one id, each about an id of its own."""
    nonce = random.randrange(1 << 30)
    return [mail(f"{nonce}.{n}@bomb", root) for n in range(count)]


def deep_chain(random: Random) -> list[Claim]:
    """Few claims whose References make one chain of over a thousand ids."""
    nonce = random.randrange(1 << 30)
    chain = [f"{nonce}.{n}@deep" for n in range(_CHAIN)]
    starts = range(0, _CHAIN - _REFERENCES, _REFERENCES - 1)
    return [mail(f"{nonce}.{start}@leaf", *chain[start : start + _REFERENCES]) for start in starts]


def forged_headers(random: Random, count: int) -> list[Claim]:
    """True copies of mail whose headers were made up to move others: each names ids of the world in a false order."""
    names = [f"{n}@x" for n in range(_IDS)]
    return [mail(f"{random.randrange(1 << 30)}@evil", *random.sample(names, 8), subject=f"{n}") for n in range(count)]
