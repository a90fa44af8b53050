"""What the service compares with: shares of predictions, mixed as on a phone."""

import numpy as np
import pytest

from data.messages import Conversation, Example
from data.taxonomy import taxonomy
from model.artifact import read_manifest
from model.classifier import Classifier
from model.registry import SHIPPED
from training.reference import mixed, reference, shares

PHONE = {category.id: 1.0 for category in taxonomy().categories_of("legitimate")}


def example(text: str, category: str) -> Example:
    return Example(
        id=text,
        conversation=Conversation.from_text(text),
        label=taxonomy()[category].label,
        category=category,
        wave=text,
        source="corpus",
        written_at="2026-01-01",
    )


def test_shares_sum_to_one_and_name_every_category(tiny_classifier: Classifier) -> None:
    told = reference(
        tiny_classifier, [example("otp 1234", "otp"), example("trung giai", "prize_scam")], PHONE
    )
    assert tuple(told["categories"]) == taxonomy().ids
    assert sum(told["scores"]) == pytest.approx(1)
    assert sum(told["categories"].values()) == pytest.approx(1)
    assert told["categories"]["otp"] == told["categories"]["prize_scam"] == 0.5


def test_scams_keep_their_share_and_legitimate_messages_are_mixed_as_on_a_phone() -> None:
    weights = mixed(["otp", "spam", "spam", "job_scam"], {"otp": 30, "spam": 10})
    assert weights[3] == 0.25
    assert weights[0] == pytest.approx(0.75 * 30 / 40)


def test_a_split_without_scams_or_without_others_still_sums_to_one() -> None:
    assert mixed(["otp", "otp"], PHONE).sum() == pytest.approx(1)
    assert mixed(["job_scam"], PHONE).sum() == pytest.approx(1)


def test_the_highest_score_lies_in_the_highest_tenth() -> None:
    assert shares(np.array([1.0]), ["otp"], np.array([1.0]))["scores"] == [0.0] * 9 + [1.0]


def test_the_shipped_model_has_its_reference() -> None:
    told = read_manifest(SHIPPED).metrics["reference"]
    assert len(told["scores"]) == 10
    assert tuple(told["categories"]) == taxonomy().ids
