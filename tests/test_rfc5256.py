"""A rebuild with ghosts pruned shows clean mail as RFC 5256 does: the same threads in the same order."""

from __future__ import annotations

from email.utils import formatdate
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from tests.core.rfc5256_linker import Mail, Shape, thread_references
from tests.core.test_forest_properties import clean_archives
from tests.examples import examples
from tests.factories import mail, rebuild
from weft.model import Thread


@given(clean_archives())
@settings(max_examples=examples(200), deadline=None)
def test_clean_mail_is_shown_as_rfc5256_orders_and_prunes_it(mails: list[Mail]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "clean.mbox")
        path.write_bytes(b"".join(map(written, mails)))
        archive = rebuild({"clean": path}, prune_ghosts=True)
        assert [shape(thread) for thread in archive.threads()] == thread_references(mails)


def written(message: Mail) -> bytes:
    replies = [f"In-Reply-To: <{name}@x>" for name in message.in_reply_to]
    references = [f"{name}@x" for name in message.references]
    return mail(f"{message.mid}@x", references, headers=[f"Date: {formatdate(message.date)}", *replies])


def shape(thread: Thread) -> Shape:
    """The thread as the linker of the tests would say it."""
    finished: dict[str | None, list[Shape]] = {}
    for message in reversed(thread.messages):
        name = None if message.ghost else message.id.removesuffix("@x")
        finished.setdefault(message.parent, []).insert(0, (name, tuple(finished.pop(message.id, ()))))
    return finished[None][0]
