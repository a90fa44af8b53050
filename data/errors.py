"""Every error a caller can meet, in one tree.

::

    CanhGiacError
    ├── BadData                a file or a line of one that cannot be used
    │   └── BadRecord          one record; knows its file and line
    ├── BadMessage             a message that cannot be classified
    │   └── TextTooLong        over the limit; carries position and length, never the text
    ├── ModelFolderError       a model folder that must not be served
    ├── BaseModelNotFound      ``BASE=`` names nothing that can be loaded
    ├── GateFailed             a challenger that may not be promoted
    ├── StoreError             the database refused or is out of date
    │   ├── UnknownItem        no such message, lease or key
    │   └── LeaseExpired       somebody else may hold it by now
    ├── ServerError            a server that could not be reached or did not accept
    └── MissingExtra           an optional dependency; names the extra to install

Each message says what happened, where, and what to do now. None repeats a message's text: it may
be somebody's private conversation, and errors end up in logs.
"""


class CanhGiacError(Exception):
    """Anything this project reports on purpose. The command prints it as one sentence and exits 1."""


class BadData(CanhGiacError):
    """A file, or a part of one, that cannot be used."""


class BadRecord(BadData):
    """One record that cannot be used.

    >>> print(BadRecord("scams.jsonl", 3, "label is missing; write scam or legitimate"))
    scams.jsonl:3: label is missing; write scam or legitimate
    """

    def __init__(self, source: str, line: int, reason: str) -> None:
        super().__init__(f"{source}:{line}: {reason}")
        self.source, self.line, self.reason = source, line, reason


class BadMessage(CanhGiacError):
    """A message that cannot be classified."""


class TextTooLong(BadMessage):
    """A text over the limit.

    >>> print(TextTooLong(position=2, length=2500, limit=2000))
    message 2 has 2500 characters; the limit is 2000: send it in parts or as a conversation
    """

    def __init__(self, position: int, length: int, limit: int) -> None:
        super().__init__(
            f"message {position} has {length} characters; the limit is {limit}: "
            "send it in parts or as a conversation"
        )
        self.position, self.length, self.limit = position, length, limit


class ModelFolderError(CanhGiacError):
    """A model folder that is incomplete, changed or made for another version."""


class BaseModelNotFound(CanhGiacError):
    """The base model to fine-tune could not be loaded."""


class GateFailed(CanhGiacError):
    """A challenger that is worse than it may be; the serving model is untouched."""


class StoreError(CanhGiacError):
    """The store refused, or its schema is not this version's."""


class UnknownItem(StoreError):
    """No such message, lease or key."""


class LeaseExpired(StoreError):
    """The item was held too long without an answer and may be with another annotator."""


class ServerError(CanhGiacError):
    """A server that could not be reached, or did not accept what was sent."""


class MissingExtra(CanhGiacError):
    """A dependency that this part needs and this installation left out.

    >>> print(MissingExtra("underthesea", "train"))
    underthesea is not installed; run: pip install 'canhgiac[train]'
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'canhgiac[{extra}]'")
