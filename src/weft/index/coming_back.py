"""What an ingest meets again although it was withdrawn, and what to do about it.

A withdrawal is final, so such mail stays out of the view, and a line says how much it was.  Most often its list was
renamed: then the same claims stand under another name.  No state is kept of a rename; it can be seen in the claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from weft.core.claim import Claim, claim_id, encode
from weft.index.view import View
from weft.plural import count, noun

_SAMPLE = 32
"""So many claims of each list are looked for under other names."""


@dataclass(frozen=True, slots=True)
class ComingBack:
    """Our own claims that an ingest made again and that are withdrawn, by list."""

    view: View
    origin: bytes
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _samples: dict[bytes, list[Claim]] = field(default_factory=dict)

    def add(self, claims: Iterable[Claim]) -> None:
        """Such claims."""
        for claim in claims:
            self._numbers[claim.list] = self._numbers.get(claim.list, 0) + 1
            sample = self._samples.setdefault(claim.list, [])
            if len(sample) < _SAMPLE:
                sample.append(claim)

    def lines(self) -> Iterator[str]:
        """One for each list, sorted."""
        for name, number in sorted(self._numbers.items()):
            back = noun(number, "was withdrawn, and does not come back", "were withdrawn, and do not come back")
            yield f"{count(number, 'message')} {back}; {self._advice(name)}"

    def _advice(self, name: bytes) -> str:
        shown = name.decode()
        others = self._elsewhere(name)
        if not others:
            return f"a withdrawal from {shown} is final, but a list of another name can have them: NAME=PATH"
        ways = " or ".join(f"{other}=PATH" for other in others)
        return f"what was said on {shown} stands on {' and '.join(others)}: if it was renamed, ingest with: {ways}"

    def _elsewhere(self, name: bytes) -> list[str]:
        """Our other lists on which most of the sample stands word for word: some may have been withdrawn there too."""
        own = sorted(feed.list for feed in self.view.standing() if feed.origin == self.origin and feed.list != name)
        return [other.decode() for other in own if self._stands(self._samples[name], other)]

    def _stands(self, claims: Sequence[Claim], name: bytes) -> bool:
        there = [claim_id(encode(replace(claim, list=name))) for claim in claims]
        return 2 * len(self.view.store.holds(there) - self.view.withdrawn) > len(claims)
