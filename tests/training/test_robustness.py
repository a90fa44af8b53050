from collections.abc import Sequence

import numpy as np

from data.messages import Conversation
from training.attacks import ATTACKS
from training.evaluate import Row
from training.metrics import Bools
from training.robustness import outcome_cells, withstood

ROWS = [
    Row(Conversation.from_text("trao qua"), "scam", "prize_scam", "a"),
    Row(Conversation.from_text("chuyen phi"), "scam", "loan_scam", "b"),
    Row(Conversation.from_text("hen gap lai"), "legitimate", "personal", "c"),
]
EVERY_WORD = {"all": 1.0}


def knows(word: str) -> "Caller":
    return Caller(word)


class Caller:
    """Calls a scam whatever holds a word as it is written."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, conversations: Sequence[Conversation]) -> Bools:
        return np.array([self.word in one.text for one in conversations])


def test_a_model_that_knows_one_spelling_loses_its_scams() -> None:
    found = withstood(ROWS, knows("trao"), strengths=EVERY_WORD)
    assert found["recall"] == 0.5
    leet = next(outcome for outcome in found["outcomes"] if outcome["attack"] == "leet")
    assert (leet["recall"], leet["success"], leet["flips"]) == (0.0, 1.0, 0.0)


def test_a_model_that_does_not_read_stands_everything() -> None:
    found = withstood(ROWS, lambda conversations: np.ones(len(conversations), bool), strengths=EVERY_WORD)
    assert found["false_alarm_rate"] == 1.0
    assert all(outcome["success"] == outcome["flips"] == 0 for outcome in found["outcomes"])


def test_a_legitimate_message_that_is_accused_after_an_attack_is_a_flip() -> None:
    everything = withstood(
        ROWS, lambda texts: np.array([t.text != "hen gap lai" for t in texts]), strengths=EVERY_WORD
    )
    assert everything["flipped_by_any"]["all"] == 1.0


def test_the_table_has_a_row_for_each_attack_and_one_for_any() -> None:
    rows = outcome_cells(withstood(ROWS, knows("trao"), strengths=EVERY_WORD))
    assert [row[0] for row in rows[1:]] == [*ATTACKS, "any"]
    assert {len(row) for row in rows} == {len(rows[0])}
