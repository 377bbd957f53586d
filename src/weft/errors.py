"""The exception tree: whose fault an error is, and what to do next.

Every error that Weft raises on purpose is a `WeftError`.  Its message is one line: what, why, what to do next; the
command line prints that line and exits with `exit_code` (cli conventions: 1 not found or failed, 2 usage).
"""

from __future__ import annotations

from collections.abc import Sequence


class WeftError(Exception):
    """Base of all errors that Weft raises on purpose."""

    exit_code = 1

    def __init__(self, *arguments: object, advice: str = "") -> None:
        """``advice``: what to do about it at the command line, which clients of a server do not have."""
        super().__init__(*arguments)
        self.advice = advice

    @property
    def advised(self) -> str:
        """The message and the advice, on one line."""
        return f"{self}; {self.advice}" if self.advice else str(self)


class UsageError(WeftError):
    """The caller asked for something that cannot be meant: a bad list name, an output that exists."""

    exit_code = 2


class NotFoundError(WeftError):
    """An id, list or file that was asked for is not here."""


class AmbiguousError(NotFoundError):
    """What was asked for may be one of several messages."""

    exit_code = 2


def ambiguous(what: str, ids: Sequence[str]) -> AmbiguousError:
    """That several messages are named so: which ones."""
    return AmbiguousError(f"{what} names {len(ids)} messages: {', '.join(f'<{one}>' for one in ids)}; give more of it")


_MOST_NAMED = 5


def several_messages(alias: str, stating: Sequence[str]) -> NotFoundError:
    """That no message has an id, and that several state it as another name of theirs: which ones."""
    shown = ", ".join(repr(name) for name in stating[:_MOST_NAMED])
    more = len(stating) - _MOST_NAMED
    which = shown + (f" and {more} more" if more > 0 else "")
    return NotFoundError(f"{alias!r} is stated as another id of {len(stating)} messages; ask for one of them: {which}")


class SourceError(WeftError):
    """A file of mail cannot be read, or is not what it says; the run goes on without it."""


class BombError(SourceError):
    """A compressed file unfolds to more than the caps allow."""


class ClaimError(WeftError):
    """A claim, a proof or a signed root is refused: somebody else's bytes break a rule, or were damaged."""


class PolicyError(UsageError):
    """The policy says something that cannot be meant; the message begins with the path of the key."""


class KeyFileError(WeftError):
    """The file of the origin's key cannot be used or made; it is never overwritten."""


class StoreError(WeftError):
    """The index cannot be read or written: full, damaged, of a newer version."""


class DamagedStoreError(StoreError):
    """The file of the index is damaged."""


class MissingIndexError(NotFoundError, StoreError):
    """There is no index where one should be."""


class LockedStoreError(StoreError):
    """Another process has been writing the index for too long; later it can be written."""


class StaleViewError(StoreError):
    """The view of an index is of another policy or version, and who reads it may not make another one."""


class LocalProtocolError(WeftError):
    """This program used the exchange wrongly: an answer that nobody asked for, a session with nobody's peer."""


class RemoteProtocolError(WeftError):
    """A peer broke the rules of the exchange or passed a limit; its session is over, and only that.

    ``limit`` names the limit, if it was one.
    """

    def __init__(self, reason: str, limit: str = "") -> None:
        super().__init__(reason)
        self.limit = limit


class SymbolsError(WeftError):
    """Octets of a peer are not a run of coded symbols."""


class ChangedPolicyError(WeftError):
    """What a peer may do has changed, so its session was cut."""


class InvalidRequestError(UsageError):
    """A field of a request breaks a limit; the message names both."""

    def __init__(self, reason: str, field: str = "") -> None:
        """``field``: its name in the request, if it is one of them."""
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class RetryableError(WeftError):
    """The same call can succeed later."""

    retry_seconds = 1.0
    """How long a caller should wait before that."""


class ChangedError(RetryableError):
    """What pages lead through changed between two of them; ask again from the first one."""

    retry_seconds = 0.1


class OverloadedError(RetryableError):
    """The server has as much to do as it takes; the message names the limit."""

    def __init__(self, text: str, retry_seconds: float = RetryableError.retry_seconds) -> None:
        """``retry_seconds``: how long a caller should wait before it calls again."""
        super().__init__(text)
        self.retry_seconds = retry_seconds


class LateError(WeftError):
    """The answer was not there before the deadline."""


class StoppingError(RetryableError):
    """The server is about to stop and takes no more calls."""

    retry_seconds = 5.0


class DeniedError(WeftError):
    """Whoever calls may not."""


class UnreachableError(WeftError):
    """The server cannot be reached, is stopping, or did not answer in time."""


class LostPeerError(UnreachableError):
    """A peer with whom a session had begun went away without a word."""


class AnswerError(WeftError):
    """A server's answer breaks the schema, or does not follow from the claims that it gives for it."""
