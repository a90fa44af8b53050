"""The checks of ``make torture`` in short, each against the real process with the tiny model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture import contract, hostile, intrusion, leaks, network, overload, shutdown, soak
from tests.torture.service import running
from tests.torture.table import Row

#: Megabytes a minute in a soak too short to tell 1 from noise; 1 KB lost a message would be more.
SHORT_SOAK = 12.0


def _failed(rows: Iterator[Row]) -> list[Row]:
    return [row for row in rows if row.ok is False]


def test_hostile_input_is_refused_in_few_words_and_the_service_lives_on(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    assert _failed(intrusion.check(tmp_path, tiny_model_folder, megabytes=20, share=20)) == []


def test_there_are_more_than_300_hostile_texts() -> None:
    found = hostile.texts()
    assert len(set(found)) >= 300
    assert all(hostile.CANARY[:4] in text and len(text) <= 2_000 for text in found)


def test_no_private_word_comes_out_anywhere(tmp_path: Path, tiny_model_folder: Path) -> None:
    assert _failed(leaks.check(tmp_path, tiny_model_folder)) == []


def test_without_a_network_it_starts_serves_and_ends(tmp_path: Path, tiny_model_folder: Path) -> None:
    [row] = network.check(tmp_path, tiny_model_folder)
    if row.ok is None:
        pytest.skip(row.seen)
    assert row.ok, row.seen


def test_every_answer_is_one_that_the_document_promises(tmp_path: Path, tiny_model_folder: Path) -> None:
    assert _failed(contract.check(tmp_path, tiny_model_folder, examples=20)) == []


def test_an_end_under_load_is_in_order_and_loses_no_request(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    assert _failed(shutdown.check(tmp_path, tiny_model_folder, times=2, clients=20)) == []


def test_an_overload_is_refused_in_order_and_leaves_nothing_behind(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    rows = list(overload.check(tmp_path, tiny_model_folder, seconds=2, times=5))
    assert rows[-1].ok, rows[-1].seen
    assert "'0'" not in rows[0].seen  # connections that broke
    assert "'500'" not in rows[0].seen


def test_memory_stays_under_messages_that_are_all_different(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    with running(tmp_path, model=tiny_model_folder, cache_size="100") as service:
        samples = soak.sampled(service, 20)
    assert len(samples) >= 15
    assert soak.growth(samples) <= SHORT_SOAK
