from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.errors import BadData, BadRecord
from data.exchange import Answer, read_answers, write_answers
from data.messages import Conversation, Message

SMS = Answer(
    id="m1",
    conversation=Conversation.from_text(
        "TK cua QK bi khoa, dang nhap vcb-9.top", sender="VCB", channel="sms"
    ),
    label="scam",
    category="bank_impersonation",
    note="tên miền lạ",
    at=datetime(2026, 11, 23, 8, tzinfo=UTC),
)
CHAT = Answer(
    id="m2",
    conversation=Conversation((Message("sender", "alo em"), Message("recipient", 'ai vậy?\n"hả"'))),
    label="legitimate",
    category="personal",
)
SKIPPED = Answer(id="m3", conversation=Conversation.from_text("ok"), label=None, category=None)


@pytest.mark.parametrize("name", ["l.jsonl", "l.csv", "l.labelstudio.json", "l.doccano.jsonl"])
def test_answers_come_back_as_they_went_out_in_every_format(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    assert write_answers([SMS, CHAT, SKIPPED], file) == 3
    # Label Studio and doccano know no skip: there a message without annotation has no answer.
    skipped = [SKIPPED] if name in ("l.jsonl", "l.csv") else []
    assert list(read_answers(file)) == [SMS, CHAT, *skipped]


@pytest.mark.parametrize("text", ["=cmd()", "+84", "-1", "@a", "'quoted", "'=x", "''"])
def test_a_spreadsheet_runs_no_cell_and_the_text_is_unchanged_after_import(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "labels.csv"
    answer = Answer("m", Conversation.from_text(text), "scam", "other_scam")
    write_answers([answer], file)
    assert not any(
        cell.startswith(("=", "+", "-", "@")) for cell in file.read_text().splitlines()[1].split(",")
    )
    assert list(read_answers(file)) == [answer]


def test_a_category_alone_is_enough_in_doccano_because_it_implies_the_label(tmp_path: Path) -> None:
    file = tmp_path / "labels.doccano.jsonl"
    file.write_text('{"id": 7, "text": "Ma OTP la 123456", "label": ["otp"]}\n', encoding="utf-8")
    [answer] = read_answers(file)
    assert (answer.label, answer.category) == ("legitimate", "otp")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"text": "bí mật", "label": "spam"}', "label must be"),
        ('{"text": "bí mật", "label": "scam", "category": "otp"}', "not one of the label's"),
        ('{"text": "bí mật", "label": null, "category": "otp"}', "not one of the label's"),
        ('{"text": "bí mật"}', "label is missing; is this a batch"),
        ('{"text": "bí mật", "label": "scam", "category": "nope"}', "no such category"),
        ('{"text": "bí mật", "label": "scam", "at": "hôm qua"}', "ISO 8601"),
        ('{"label": "scam"}', "write the message in text"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason_and_never_its_text(
    tmp_path: Path, line: str, reason: str
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"text": "tốt", "label": "legitimate"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(BadRecord, match=reason) as caught:
        list(read_answers(file))
    assert str(caught.value).startswith("bad.jsonl:2: ")
    assert "bí mật" not in str(caught.value)


def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"\.doccano\.jsonl"):
        write_answers([SMS], tmp_path / "labels.xml")


def test_a_time_without_zone_is_utc(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"text": "x", "label": "scam", "at": "2026-11-23T08:00:00"}\n', encoding="utf-8")
    [answer] = read_answers(file)
    assert answer.at == datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "content", ["[5]", '[{"data": {}, "annotations": [{"result": ["a"]}]}]', '[{"annotations": []}]']
)
def test_what_is_no_label_studio_task_is_refused_with_its_position(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tasks.labelstudio.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadRecord, match=r"tasks\.labelstudio\.json:1: not a Label Studio task"):
        list(read_answers(file))


def test_a_file_that_is_missing_or_not_utf8_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot be read"):
        list(read_answers(tmp_path / "none.jsonl"))
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match="not UTF-8"):
        list(read_answers(tmp_path / "latin.csv"))
