"""The table, the JSON and the plot, from numbers whose answer is visible by eye."""

import json
from pathlib import Path

import pytest

from tests.bench.report import Round, middle, plot, table, targets, write_json

ROUNDS: list[Round] = [
    {
        "ours": {"single": 300.0, "p99": 20.0, "score": 600.0, "cold_start": 1.0, "memory_load": 200.0},
        "phobert": {"single": 20.0, "p99": 400.0},
    },
    {
        "ours": {"single": 100.0, "p99": 60.0, "score": 140.0, "cold_start": 3.0, "memory_load": 200.0},
        "phobert": {"single": 5.0, "p99": 600.0},
    },
]


def test_a_ratio_is_taken_within_a_round() -> None:
    found = table(ROUNDS).splitlines()
    [line] = [one for one in found if one.startswith("| HTTP, 64")]
    assert line == "| HTTP, 64 connections, messages/s | 200 | 12 | 17.5 |  |  |"  # not 200 / 12.5


def test_less_waiting_is_better() -> None:
    [line] = [one for one in table(ROUNDS).splitlines() if "99th percentile, ms" in one]
    assert "| 40.0 | 500.0 | 15.0 |" in line  # 20 and 10 times


def test_what_was_not_measured_is_left_empty() -> None:
    assert middle(ROUNDS, "plain", "single") is None


def test_a_target_says_what_was_measured_and_whether_it_is_met() -> None:
    assert [(round(one.measured, 2), one.met) for one in targets(ROUNDS)] == [
        (17.5, True),
        (40.0, True),
        (1.7, True),
        (2.0, True),
        (200.0, True),
    ]


@pytest.mark.parametrize(
    ("measure", "value", "position"),
    [
        ("single", 10.0, 0),
        ("p99", 51.0, 1),
        ("score", 149.0, 2),
        ("cold_start", 2.1, 3),
        ("memory_load", 351.0, 4),
    ],
)
def test_a_target_is_missed_by_a_little(measure: str, value: float, position: int) -> None:
    ours = {"single": 100.0, "p99": 50.0, "score": 150.0, "cold_start": 2.0, "memory_load": 350.0}
    phobert = {"single": 100 / 15}
    assert all(one.met for one in targets([{"ours": ours, "phobert": phobert}]))
    found = targets([{"ours": {**ours, measure: value}, "phobert": phobert}])
    assert not found[position].met


def test_json_keeps_every_round(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    write_json(ROUNDS, {"processors": 2}, file)
    record = json.loads(file.read_text("utf-8"))
    assert record["rounds"] == ROUNDS
    assert record["about"] == {"processors": 2}
    assert record["times_better"]["phobert"]["single"] == 17.5
    assert record["medians"]["ours"]["p99"] == 40


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    plot(ROUNDS, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
