"""Text that is written without spaces, cut into what a table of words can hold: pairs of characters.

Theory of operation.  A tokenizer that looks for spaces takes a whole Chinese, Japanese or Thai sentence for one word,
of which no part can be found; Korean writes endings on its words.  So a run of such characters goes into the table as
all pairs of neighbours, and its last character: ``abcd`` as ``ab bc cd d``.  A run that is asked for is in the text
only if all its pairs are; whether they follow each other is for the reader of the text to see.  A single character is
looked for as the beginning of a pair.  (Three characters at a time, as SQLite's trigram tokenizer has it, cannot find
the words of two characters that most Chinese words are.)

Vowel signs and tone marks are left out of pairs, because SQLite takes them for spaces.  Compatible forms, as narrow
kana, are read as the usual ones (NFKC).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from weft._patterns import deferred

RUN = deferred(
    "(["
    "\u0e01-\u0e4f\u0e81-\u0ecf"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17df"  # Burmese, Khmer
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc"  # Korean
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "]+)"
)
"""Characters of scripts in which words are not kept apart."""


def spaced(text: str) -> str:
    """``text`` with spaces between the pairs of each run."""
    return text if text.isascii() else RUN.sub(lambda run: f" {' '.join(_all_pairs(run[0]))} ", text)


def pairs(run: str) -> list[str]:
    """The pairs that a text with ``run`` in it has for certain; a single character stays single; there may be none."""
    bare = _bare(run)
    return [bare[place : place + 2] for place in range(len(bare) - 1)] or ([bare] if bare else [])


def plain(text: str) -> str:
    """``text`` as it is compared with a run."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _all_pairs(run: str) -> Iterator[str]:
    bare = _bare(run)
    return (bare[place : place + 2] for place in range(len(bare)))


def _bare(run: str) -> str:
    return "".join(one for one in plain(run) if unicodedata.category(one)[0] != "M")
