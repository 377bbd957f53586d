"""Run by Mailman's own interpreter: makes a list, hands posts to the archive runner, and says what became of them."""

# mypy: ignore-errors

import sys
from pathlib import Path

from mailman.core.initialize import initialize

HOME = Path(sys.argv[1])
initialize(str(HOME / "mailman.cfg"))

from mailman.app.lifecycle import create_list  # noqa: E402 - once it is initialized
from mailman.database.transaction import transaction  # noqa: E402
from mailman.interfaces.archiver import IArchiver  # noqa: E402
from mailman.interfaces.domain import IDomainManager  # noqa: E402
from mailman.interfaces.mailinglist import IListArchiverSet  # noqa: E402
from mailman.runners.archive import ArchiveRunner  # noqa: E402
from mailman.testing.helpers import make_testable_runner, specialized_message_from_string  # noqa: E402
from zope.component import getUtility  # noqa: E402
from zope.interface.verify import verifyObject  # noqa: E402

from mailman.app.inject import inject_message  # noqa: E402  # isort: skip

with transaction():
    getUtility(IDomainManager).add("lists.example.org")
    dev = create_list("drafts@lists.example.org", ["a@example.org"])
[archiver] = [one.system_archiver for one in IListArchiverSet(dev).archivers if one.name == "weft"]
assert archiver.is_enabled
verifyObject(IArchiver, archiver)
print(archiver.list_url(dev))


def post(name: str) -> None:
    """Hand one post to the archive runner."""
    text = f"From: a@example.org\nTo: drafts@lists.example.org\nMessage-ID: <{name}@x>\nSubject: {name}\n\nText.\n"
    message = specialized_message_from_string(text)
    print(archiver.permalink(dev, message))
    inject_message(dev, message, switchboard="archive")
    make_testable_runner(ArchiveRunner, "archive").run()


post("one/1")
settings, mail = HOME / "weft.cfg", HOME / "Mail"
mail.rename(HOME / "away")
mail.write_text("in the way")
post("two")
mail.unlink()
(HOME / "away").rename(mail)
text = settings.read_text()
settings.write_text("[general]\nmaildir: relative\n")
try:
    post("three")
except ValueError as error:
    print(error)
    message = specialized_message_from_string("From: a@example.org\nMessage-ID: <three@x>\n\nText.\n")
    assert archiver.archive_message(dev, message) is None
settings.write_text(text)
post("four")
