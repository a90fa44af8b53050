"""Mask what identifies a victim, keep what identifies a scammer.

A reported message is evidence and somebody's private life at once. Masked everywhere: national ids
``[CCCD]``, bank cards ``[THẺ]``, one-time codes ``[OTP]``, e-mail addresses ``[EMAIL]`` and names in
greetings ``[TÊN]``; in what the recipient wrote also phones ``[SĐT]`` and accounts ``[STK]``. In the
sender's turns phones and accounts are kept, and a web address is never touched.

>>> redact_text("Chào anh Nguyễn Văn An, mã OTP là 482913, xem http://vcb-1.top/482913", "sender")
'Chào anh [TÊN], mã OTP là [OTP], xem http://vcb-1.top/482913'
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from data.messages import Conversation, Message, Role
from data.names import find_names
from data.plain import BARE_URL, FULL_URL, plain

Tag = Literal["[CCCD]", "[THẺ]", "[OTP]", "[EMAIL]", "[TÊN]", "[SĐT]", "[STK]"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern over the plain text; its group ``found`` (or all of it) is masked, or kept for good.

    ``sender`` and ``recipient`` say what becomes of it in whose turn; None keeps it as it is. Either
    way no later rule sees it.
    """

    pattern: re.Pattern[str]
    sender: Tag | None
    recipient: Tag | None


def redact(conversation: Conversation) -> Conversation:
    """The conversation with the victim's data masked; redacting again changes nothing.

    In a conversation about a one-time code, every short number in the recipient's turns is taken for
    one. Patterns miss what is written in an unforeseen way: redaction lowers the harm of a leak and
    does not make a text anonymous.
    """
    about_code = any(_is_about_code(message.text) for message in conversation.messages)
    return replace(
        conversation,
        messages=tuple(
            Message(message.role, _redact(message.text, message.role, about_code))
            for message in conversation.messages
        ),
    )


def redact_text(text: str, role: Role = "recipient") -> str:
    """One text with the victim's data masked; ``role`` is who wrote it."""
    return _redact(text, role, _is_about_code(text))


def _redact(text: str, role: Role, about_code: bool) -> str:
    pieces = []
    position = 0
    for start, end, tag in sorted(_spans(text, role, about_code)):
        pieces += [text[position:start], tag]
        position = end
    return "".join([*pieces, text[position:]])


def _spans(text: str, role: Role, about_code: bool) -> Iterator[tuple[int, int, Tag]]:
    """Where to mask the received text; what a rule found is blanked for the next, so none overlap."""
    view = plain(text)
    left = _TAG.sub(lambda match: _blank(match[0].upper(), len(match[0])), view.text)
    replies = _REPLIES if role == "recipient" else ()
    for rule in (*_RULES, *((*_NAMED_CODES, *replies) if about_code else ()), *_LAST):
        tag = rule.recipient if role == "recipient" else rule.sender
        found = [match.span("found") for match in rule.pattern.finditer(left)]
        for start, end in found:
            left = left[:start] + _blank(tag, end - start) + left[end:]
            if tag is not None:
                yield *view.span(start, end), tag
    for start, end in find_names(left, lambda at: text[view.starts[at] :][:1].isupper(), role):
        yield *view.span(start, end), "[TÊN]"


def _is_about_code(text: str) -> bool:
    return _CODE_WORD.search(_TAG.sub("", plain(text).text)) is not None


def _blank(tag: str | None, length: int) -> str:
    """What later rules see where one has found something.

    A cue does not reach over a mask, or a second redaction would reach further than the first; only
    the cue of a code reaches over other masks, as a code comes late in a message.
    """
    return {None: _KEPT, "[OTP]": _CODE_MASKED}.get(tag, _MASKED) * length


_KEPT, _MASKED, _CODE_MASKED = "\x00", "\x01", "\x02"
_TAG = re.compile(r"\[(?:cccd|the|otp|email|ten|sdt|stk)\]")


def _after(cue: str, stop: str, number: str, gap: int = 30) -> re.Pattern[str]:
    """``number`` after ``cue`` on the same line, with no digit, mask or ``stop`` word between them."""
    between = rf"(?:(?!\b(?:{stop})\b)[^\d\n{_MASKED}{_CODE_MASKED}])"
    return re.compile(rf"(?:{cue})(?:{between}{{0,{gap}}}?(?<!\w))?(?P<found>{number})(?![\w*])")


_ACCOUNT = r"(?<![a-z])(?:stk|so tk|tk|so tai khoan|tai khoan|account|acc)"
_ID = r"(?<![a-z])(?:cccd|cmnd|cmt|can cuoc|chung minh|dinh danh|ho chieu)"
_CARD = r"(?<![a-z])(?:so the|the so|visa|mastercard|napas|the tin dung|the ghi no|the atm)"
_CODE_WORD = re.compile(
    r"(?<![a-z])(?:otp|ma (?:xac|kich hoat|bao mat|pin|dang nhap|smart)|mat khau"
    r"|passcode|password|pin|verification code|security code|login code)"
)
_NO_AMOUNT = r"(?![\d*])(?![.,:/]\d)(?!\s?(?:d|dong|vnd|k|tr|trieu|phut|giay|p|s|h|ngay)\b)"
_CALLED = (
    r"(?<!gui )(?<!goi )(?<!toi )(?<!den )(?<!lh )(?<!lh: )(?<!hotline )(?<!hotline: )(?<!dai )(?<!sdt )"
)
_CODE = (
    rf"{_CALLED}(?<![\d*])(?<![\d{_MASKED}{_CODE_MASKED}][.,:/-])(?<!\.\.)(?!1[89]00\d{{4}}\b)"
    rf"(?:\d{{3}}[ -]\d{{3}}(?![ .-]?\d)|\d(?: \d){{3,7}}(?![ .-]?\d)|\d{{4,8}}){_NO_AMOUNT}"
)
_PHONE = r"(?<!\d)(?<!\d[.,])(?:\+?84|0)(?:[ .-]?\d){9,10}(?!\d)"
_SHORT_PHONE = r"(?<!\d)1[89]00(?:[ .-]?\d){4,6}(?!\d)"

#: In this order: what is found first is out of the way of the rest.
_RULES = (
    Rule(re.compile(f"(?P<found>{FULL_URL.pattern})"), None, None),
    Rule(
        re.compile(r"(?P<found>(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+[a-z]{2,24})"), "[EMAIL]", "[EMAIL]"
    ),
    Rule(re.compile(f"(?P<found>{BARE_URL.pattern})"), None, None),
    Rule(
        _after(_ID, "stk|tk|tai khoan|sdt", r"(?:\d(?:[ .-]?\d){11}|\d{9}|[a-z]\d{7,8})(?!\d)"),
        "[CCCD]",
        "[CCCD]",
    ),
    Rule(
        _after(_CARD, "stk|tk|tai khoan|sdt|otp", r"\d(?:[ .-]?\d){12,18}(?!\d)"),
        "[THẺ]",
        "[THẺ]",
    ),
    Rule(_after(r"(?<![a-z])(?:cvv2?|cvc2?)", "otp", r"\d{3,4}(?!\d)", gap=12), "[THẺ]", "[THẺ]"),
    Rule(re.compile(f"(?P<found>{_PHONE})"), None, "[SĐT]"),
    Rule(re.compile(f"(?P<found>{_SHORT_PHONE})"), None, None),
    Rule(
        re.compile(
            rf"(?:{_CODE_WORD.pattern})"
            rf"(?:(?!\b(?:stk|so tk|so tai khoan)\b|[.!?] )[^\n{_CODE_MASKED}]){{0,60}}?(?P<found>{_CODE})"
        ),
        "[OTP]",
        "[OTP]",
    ),
    Rule(
        re.compile(rf"(?P<found>{_CODE})\s+(?:la|is)\s+(?:ma|your|otp|code|mat khau)\b"),
        "[OTP]",
        "[OTP]",
    ),
    Rule(re.compile(r"(?<!\w)g-(?P<found>\d{5,6})(?!\d)"), "[OTP]", "[OTP]"),
    Rule(_after(_ACCOUNT, "cccd|cmnd|otp|so the", rf"\d(?:[ .-]?\d){{5,18}}{_NO_AMOUNT}"), None, "[STK]"),
    # A national id: province 001 to 096, then century and sex, year of birth, six digits.
    Rule(
        re.compile(
            r"(?<![\w.,*])(?P<found>0(?:0[1-9]|[1-8]\d|9[0-6])"
            r"(?:\d{9}|([ .-])\d{3}\2\d{3}\2\d{3}|\d([ .-])\d{4}\3\d{4}))(?![\w*])"
        ),
        "[CCCD]",
        "[CCCD]",
    ),
    # A card: a known network's first digits. Scammers' accounts come after an account word (above).
    Rule(
        re.compile(
            r"(?<![\w.,*])(?P<found>(?=4|5[1-5]|2[2-7]|35|62|9704)"
            r"(?:\d{16}|\d{4}([ .-])\d{4}\2\d{4}\2\d{4}"
            r"|9704\d{15}|9704([ .-])\d{4}\3\d{4}\3\d{4}\3\d{3}))(?![\w*])"
        ),
        "[THẺ]",
        "[THẺ]",
    ),
)
#: For conversations about a code: "Ma: 482913", and any short number that the recipient replies with.
_NAMED_CODES = (
    Rule(re.compile(rf"(?<![a-z])(?:ma|code)(?: so)?(?: la)?\s?:?\s?(?P<found>{_CODE})"), "[OTP]", "[OTP]"),
)
_REPLIES = (Rule(re.compile(rf"(?P<found>{_CODE})"), None, "[OTP]"),)
_LAST = (Rule(re.compile(rf"(?<![\w.,*])(?P<found>\d{{8,19}}){_NO_AMOUNT}"), None, "[STK]"),)
