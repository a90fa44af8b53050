"""The service's log: one JSON object a line for machines, one plain line a record on a terminal.

What a line may hold: words of ours, declared routes, numbers, and a request's id. No text, key,
path, query or header of a client. An exception is told by its type and place, because its words may
repeat what was sent. Nothing in a line can move a terminal's cursor or forge a second line.
"""

import json
import logging
import re
import sys
import unicodedata
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from serving.ids import new_id
from serving.problems import place_of

#: The id of the request in hand, for every line that is logged on its way.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Unicode's control, format, line and paragraph characters: colours, cursors, new lines, bidi.
_MOVING = {"Cc", "Cf", "Zl", "Zp"}


def request_id(sent: str | None) -> str:
    """The id a client sent, when it is 1 to 64 of ``A-Za-z0-9._-``; else one made here.

    >>> request_id("app-7f3c.1")
    'app-7f3c.1'
    >>> len(request_id("two words"))
    32
    """
    return sent if sent is not None and _ID.fullmatch(sent) else new_id()


def log_to(stream: TextIO = sys.stderr) -> None:
    """Send our records from INFO up to ``stream``, in the form that suits who reads there.

    Of the libraries only warnings: an HTTP client, for one, tells every address it asks.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines() if stream.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("canhgiac").setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """``time``, ``level``, ``event``, ``request_id`` where there is one, and the record's ``fields``.

    ASCII alone: whatever else is in a string is escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object, without a line break."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _words(record),
            "request_id": REQUEST_ID.get(),
            **_fields(record),
        }
        told = {name: value for name, value in line.items() if value is not None}
        return json.dumps(told).replace("\x7f", "\\u007f")  # DEL is ASCII, and moves a cursor


class PlainLines(logging.Formatter):
    """Time, level, words and the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, its moving characters taken out."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        identifier = REQUEST_ID.get()
        line = f"{time} {record.levelname} {_words(record)}" + (f" [{identifier}]" if identifier else "")
        return "".join(one if unicodedata.category(one) not in _MOVING else " " for one in line)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return fields


def _words(record: logging.LogRecord) -> str:
    words = record.getMessage()
    if record.name == "asyncio":  # its further lines show a failed task with its exception's words
        words = words.partition("\n")[0]
    if record.exc_info and record.exc_info[1] is not None:
        words = f"{words.strip()}: {place_of(record.exc_info[1])}"
    return words
