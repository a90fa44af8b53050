"""What a conversation may hold."""

import pytest

from data.errors import BadMessage, TextTooLong
from data.messages import MAX_CHARACTERS, MAX_CONVERSATION_CHARACTERS, MAX_MESSAGES, Conversation, Message


def _turns(*lengths: int) -> Conversation:
    return Conversation(tuple(Message("sender", "a" * length) for length in lengths))


def test_what_is_within_the_limits_is_taken_as_it_is() -> None:
    for conversation in (
        _turns(MAX_CHARACTERS),
        _turns(*[MAX_CONVERSATION_CHARACTERS // MAX_MESSAGES] * MAX_MESSAGES),
    ):
        assert conversation.checked() is conversation


def test_a_message_too_long_is_named_by_its_position() -> None:
    with pytest.raises(TextTooLong, match="message 1 has 2001 characters"):
        _turns(1, MAX_CHARACTERS + 1).checked()


def test_too_many_messages_and_too_many_characters_in_all_are_refused() -> None:
    with pytest.raises(BadMessage, match="101 messages"):
        _turns(*[1] * (MAX_MESSAGES + 1)).checked()
    with pytest.raises(BadMessage, match="8001 characters; the limit is 8000: send the latest"):
        _turns(*[MAX_CHARACTERS] * 4, 1).checked()


def test_a_conversation_without_a_word_is_refused() -> None:
    with pytest.raises(BadMessage, match="no text"):
        _turns(0, 0).checked()
    with pytest.raises(BadMessage, match="no message"):
        Conversation(()).checked()
