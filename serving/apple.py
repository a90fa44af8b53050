"""The words of Apple's phones: what they send, what they are told, and where messages go.

What Apple defines is open to members that Apple may add; what is ours is closed. Apple's names are
those of its framework IdentityLookup, https://developer.apple.com/documentation/identitylookup.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from data.messages import Conversation
from serving import examples
from serving.answers import Answer
from serving.schemas import FeedbackRequest, RetryKey, Text

#: ``ILMessageFilterAction``.
Action = Literal["none", "allow", "junk", "promotion", "transaction"]
#: ``ILMessageFilterSubAction``.
SubAction = Literal[
    "none",
    "transactionalOthers",
    "transactionalFinance",
    "transactionalOrders",
    "transactionalReminders",
    "transactionalHealth",
    "transactionalWeather",
    "transactionalCarrier",
    "transactionalRewards",
    "transactionalPublicServices",
    "promotionalOthers",
    "promotionalOffers",
    "promotionalCoupons",
]


class Placement(NamedTuple):
    """Where the phone puts a message."""

    action: Action
    sub_action: SubAction


#: Where messages of a legitimate category go. ``none`` leaves the message where it came in.
PLACEMENTS: dict[str, Placement] = {
    "otp": Placement("transaction", "transactionalOthers"),
    "balance": Placement("transaction", "transactionalFinance"),
    "warning": Placement("transaction", "transactionalPublicServices"),
    "carrier": Placement("transaction", "transactionalCarrier"),
    "advertising": Placement("promotion", "promotionalOffers"),
    "spam": Placement("promotion", "promotionalOthers"),
    "bill": Placement("transaction", "transactionalReminders"),
    "order": Placement("transaction", "transactionalOrders"),
    "public_notice": Placement("transaction", "transactionalPublicServices"),
    "personal": Placement("none", "none"),
    "other_legitimate": Placement("none", "none"),
}
_JUNK = Placement("junk", "none")
_UNDECIDED = Placement("none", "none")


def placement(answer: Answer) -> Placement:
    """Where a message with this answer goes; an unsure one stays, for it may be a code or a bank's."""
    if answer.verdict == "scam":
        return _JUNK
    return PLACEMENTS[answer.category.id] if answer.verdict == "legitimate" else _UNDECIDED


class _Apple(BaseModel):
    """A part of what Apple sends: strict in types, open to members that Apple may add."""

    model_config = ConfigDict(strict=True)


class AppIn(_Apple):
    """The app whose extension asks."""

    version: Text


class FilterMessage(_Apple):
    """The message itself."""

    text: Text = Field(description="As received, at most 2,000 characters.")


class FilterQuery(_Apple):
    """A message from an unknown sender."""

    sender: Annotated[Text, Field(max_length=100)] | None = Field(
        None, description="Brand name, short code or number the phone shows."
    )
    message: FilterMessage


class FilterRequest(_Apple):
    """What the phone sends when a message filter extension defers a query to the network."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.IOS_FILTER})

    version: int = Field(alias="_version")
    query: FilterQuery
    app: AppIn | None = None

    def conversation(self) -> Conversation:
        """The SMS within its limits; ``BadMessage`` or ``TextTooLong`` otherwise."""
        sender = self.query.sender or None
        return Conversation.from_text(self.query.message.text, sender=sender, channel="sms").checked()


class FilterAnswer(BaseModel):
    """Apple's names for where the message goes; the extension turns them into its answer."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.IOS_FILTERED})

    action: Action = Field(description="A case of `ILMessageFilterAction`.")
    sub_action: SubAction = Field(description="A case of `ILMessageFilterSubAction`.")


class Report(FeedbackRequest):
    """What the app's reporting extension says: the body of /v1/feedback with an id."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    id: RetryKey = Field(description="The report's own, such as a UUID: sent again it stores nothing new.")


class ReportRequest(_Apple):
    """What the phone sends for a reporting extension; ``userInfo`` is the extension's."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.IOS_REPORT})

    version: int = Field(alias="_version")
    app: AppIn | None = None
    report: Report = Field(alias="userInfo")


class AppsOut(BaseModel):
    """Apps by their team and bundle identifiers."""

    apps: list[str]


class AppSiteAssociation(BaseModel):
    """Which apps' extensions the system may send here."""

    messagefilter: AppsOut
    classificationreport: AppsOut
