import pytest

from data.errors import BadData
from data.taxonomy import taxonomy

#: Models, labels and reports already carry these ids: the list may only grow at its end.
IDS = [
    "police_impersonation",
    "public_service_impersonation",
    "bank_impersonation",
    "utility_impersonation",
    "delivery_scam",
    "job_scam",
    "investment_scam",
    "prize_scam",
    "loan_scam",
    "known_person_impersonation",
    "romance_scam",
    "extortion",
    "purchase_scam",
    "recovery_scam",
    "account_takeover",
    "illicit_service",
    "other_scam",
    "otp",
    "balance",
    "warning",
    "carrier",
    "advertising",
    "spam",
    "bill",
    "order",
    "public_notice",
    "personal",
    "other_legitimate",
]


def test_ids_are_stable_and_in_the_order_of_the_outputs() -> None:
    assert list(taxonomy().ids[: len(IDS)]) == IDS


def test_every_category_says_enough_to_label_by_and_to_act_on() -> None:
    for category in taxonomy().categories:
        assert category.name_vi
        assert category.name_en
        assert category.definition.endswith(".")
        assert category.signs
        assert category.advice_vi.endswith(".")


def test_no_advice_tells_a_citizen_that_a_message_is_safe() -> None:
    for category in taxonomy().categories:
        assert "an toàn" not in category.advice_vi.lower()
        if category.label == "legitimate":
            assert category.advice_vi.startswith("Chưa phát hiện dấu hiệu lừa đảo.")


def test_an_unknown_category_is_refused_and_the_known_ones_listed() -> None:
    with pytest.raises(BadData, match="no such category; known: police_impersonation"):
        taxonomy()["phishing"]
