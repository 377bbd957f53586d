"""The log of a server on stderr: lines for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import Literal

Format = Literal["text", "json"]

log = logging.getLogger("weft.serve")


class JsonLines(logging.Formatter):
    """One object a line: ``time`` (RFC 3339), ``level``, ``logger``, ``message``, and ``trace`` after a defect.

    What is logged with ``extra={"fields": {...}}`` has these further keys.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            **getattr(record, "fields", {}),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def json_line(message: str, level: int = logging.INFO, **fields: object) -> str:
    """A line as in the log, for what is not logged: on stdout, or before the log is set up."""
    record = logging.LogRecord("weft.serve", level, "", 0, message, (), None)
    record.fields = fields
    return JsonLines().format(record)


def set_up_logging(form: Format, *, quiet: bool) -> None:
    """Let what Weft and its libraries log go to stderr; ``quiet``: only what somebody has to mend."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    if form == "json":  # what Python itself would write in lines of its own
        sys.excepthook = lambda kind, error, trace: log.critical("a defect: %s", error, exc_info=(kind, error, trace))
        threading.excepthook = lambda one: log.critical(
            "a defect in a thread: %s", one.exc_value, exc_info=one.exc_value
        )
