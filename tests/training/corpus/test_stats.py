from collections.abc import Callable
from io import StringIO
from pathlib import Path

from rich.console import Console

from data.corpus import load
from data.messages import Example
from data.taxonomy import taxonomy
from training.corpus.card import data_card
from training.corpus.plots import plot
from training.corpus.stats import Target, least_of, print_stats, targets

Make = Callable[..., Example]


def test_a_target_holds_at_both_ends_of_its_range() -> None:
    assert [Target("x", value, 0.4, 0.6).met for value in (0.39, 0.4, 0.6, 0.61)] == [
        False,
        True,
        True,
        False,
    ]


def test_common_scams_and_heavy_kinds_need_more() -> None:
    asked = [least_of(name) for name in ("job_scam", "romance_scam", "otp", "spam")]
    assert asked == [350, 150, 500, 250]


def test_every_category_has_its_target(example: Make) -> None:
    assert set(taxonomy().ids) <= {target.name for target in targets([example()])}


def test_stats_show_each_number_beside_what_it_must_be(example: Make) -> None:
    out = StringIO()
    print_stats([example()], Console(file=out, width=100))
    [line] = [line for line in out.getvalue().splitlines() if "bank_impersonation" in line]
    assert line.split() == ["bank_impersonation", "1", "at", "least", "350", "no"]


def test_plots_are_pictures(tmp_path: Path) -> None:
    files = plot(load()[::50], tmp_path / "plots")
    assert [file.name for file in files] == ["categories.png", "lengths.png", "shortcuts.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_the_card_shows_one_message_that_is_accepted_and_one_that_is_refused() -> None:
    card = data_card(load())
    assert "look-alike link" in card
    assert "$" not in card
