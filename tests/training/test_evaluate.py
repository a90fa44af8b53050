import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from data.errors import BadData, BadRecord
from data.messages import Conversation
from training.evaluate import Contender, Row, read_rows, report, slices_of
from training.metrics import Bootstrap
from training.tables import print_report


def row(text: str, label: str = "legitimate", kind: str = "otp") -> Row:
    return Row(Conversation.from_text(text, channel="sms"), label, kind, text)  # type: ignore[arg-type]


ROWS = [
    row("Ma OTP cua ban la 482913"),
    row("Mã xác thực là 1234, vào vietcombank.com.vn"),
    row("trung thuong, vao qua-tang.top ngay", "scam", "prize_scam"),
]


def test_contenders_stand_beside_each_other_on_the_same_rows() -> None:
    good = Contender("model", np.array([0.1, 0.2, 0.9]), 0.5)
    poor = Contender("baseline", np.array([0.9, 0.2, 0.1]), 0.5)
    result = report(ROWS, [good, poor], Bootstrap(20, 0))
    assert (result["rows"], result["scams"], result["waves"]) == (3, 1, 3)
    assert result["all"]["model"]["recall"]["value"] == 1.0
    assert result["all"]["baseline"]["recall"]["value"] == 0.0
    otp = next(kind for kind in result["kinds"] if kind["kind"] == "otp")
    assert (otp["rows"], otp["model"]["false_alarm_rate"]["value"]) == (2, 0.0)
    assert otp["baseline"]["false_alarm_rate"]["value"] == 0.5


def test_slices_part_the_rows_by_how_they_were_written() -> None:
    slices = {name: chosen.tolist() for name, chosen in slices_of(ROWS)}
    assert slices["diacritics"] == [False, True, False]
    assert slices["URL"] == [False, True, True]
    assert slices["SMS"] == [True, True, True]
    assert "chat" not in slices


def test_a_file_of_one_label_is_reported_with_what_can_be_known() -> None:
    console = Console(file=StringIO(), width=80)
    contender = Contender("model", np.array([0.1, 0.7]), 0.5)
    result = report(ROWS[:2], [contender], Bootstrap(20, 0))
    print_report(result, title="two", console=console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert result["all"]["model"]["false_alarm_rate"]["value"] == 0.5
    assert "two: 2 messages, 0 scams" in printed
    assert "Scam kinds" not in printed


def test_rows_bring_their_code_and_wave_where_known(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    records = [
        {"text": "a 12", "label": "scam", "code": "S01", "wave": "x"},
        {"messages": [{"role": "recipient", "text": "a 34"}], "label": "legitimate"},
        {"text": "A 99", "label": "legitimate", "category": "otp"},
    ]
    file.write_text("\n".join(map(json.dumps, records)) + "\n\n", encoding="utf-8")
    first, second, third = read_rows(file)
    assert (first.kind, first.wave) == ("S01", "x")
    assert (second.kind, third.kind) == ("no code", "otp")
    assert second.wave == third.wave


def test_only_a_newline_ends_a_row_and_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    texts = ["dong mot\u2028dong hai", "dong mot\x85dong hai"]
    records = [{"text": text, "label": "scam"} for text in texts]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    file.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert [row.conversation.text for row in read_rows(file)] == texts


@pytest.mark.parametrize("line", ['{"text": "bi mat"}', "bi mat", '["bi mat"]', '{"label": "scam"}'])
def test_a_bad_line_is_named_without_its_text(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "a", "label": "scam"}\n' + line, encoding="utf-8")
    with pytest.raises(BadRecord, match=r"rows\.jsonl:2") as caught:
        read_rows(file)
    assert "bi mat" not in str(caught.value)


def test_an_empty_or_absent_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    for name in ("empty.jsonl", "absent.jsonl"):
        with pytest.raises(BadData):
            read_rows(tmp_path / name)


def test_a_line_that_is_no_object_is_refused_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("[]\n", encoding="utf-8")
    with pytest.raises(BadRecord, match=r"rows\.jsonl:1: not a JSON object"):
        read_rows(file)
