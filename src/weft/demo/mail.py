"""The mail of the demonstration: files of the package, which ``fixtures`` in the repository links to."""

from __future__ import annotations

from importlib import resources

from weft.errors import SourceError

LISTS = {
    "ada": ("drafts", "story/drafts.mbox"),
    "farid": ("smtp-ops", "story/smtp-ops.mbox"),
    "ines": ("keepers", "story-continued/keepers.mbox"),
}
"""Who keeps which list, and the file of it."""
FORGED = "story-forged/keepers.mbox"
"""One mail more on the list of ines."""

ROOT = "20030210035225.GA1107@aldgate.example.com"
"""The conversation begins here."""
FORGED_ID = "20030213031407.GG1107@aldgate.example.com"
NAMED_ID = "200302110830.00417.greta.olsen@fjord.example.com"
"""The root of another thread, which the forged mail names as if the conversation stood below it."""


def read_mail(name: str) -> bytes:
    """One of the files."""
    try:
        return resources.files("weft.demo").joinpath("data", *name.split("/")).read_bytes()
    except OSError:
        raise SourceError(f"the mail of the demo ({name}) is not in this installation; install weft again") from None
