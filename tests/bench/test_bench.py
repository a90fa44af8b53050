"""The bench, small: one contender with the tiny model, and the network that it is held against."""

from itertools import islice
from pathlib import Path

import onnx
import pytest

from model.artifact import ONNX
from model.registry import SHIPPED
from tests.bench.load import ClosedLoop, http_request, run
from tests.bench.measures import Contender, Messages, Plan, examine
from tests.bench.messages import bodies
from tests.bench.phobert import agreement, make
from tests.bench.services import Service, canhgiac, running
from training.bench import phobert_shape

PLAN = Plan(rounds=1, seconds=0.5, corpus_seconds=0.2, batches=1, score=40, model=5)


def test_every_measure_of_a_contender_is_a_sane_number(tiny_model_folder: Path, tmp_path: Path) -> None:
    messages = Messages.written(tmp_path, 3_000, 2)
    contender = Contender("ours", canhgiac(tiny_model_folder, tmp_path / "var"), tiny_model_folder, 1)
    found = examine(contender, messages, PLAN, tmp_path, first=True)
    assert found.pop("failed") == 0
    assert set(found) == {
        "cold_start", "memory_start", "single", "processor", "p50", "p99", "single_corpus", "batch",
        "memory_load", "score", "score_memory", "model",
    }  # fmt: skip
    assert min(found.values()) > 0
    assert found["p50"] <= found["p99"]


def test_refusals_are_counted_and_a_service_ends_with_its_block(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    with running(canhgiac(tiny_model_folder, tmp_path / "var"), tmp_path / "log") as service:
        requests = [
            http_request("/v1/classify", key, body) for key in (service.key, "cg_no") for body in BODIES
        ]
        found = run(service.url, iter(requests), ClosedLoop(60), connections=2)
        assert service.memory() > 10
    assert found.statuses == {200: len(BODIES), 401: len(BODIES)}
    with pytest.raises(ConnectionRefusedError):
        run(service.url, iter(requests), ClosedLoop(1), connections=1)


BODIES = list(islice(bodies("phone"), 10))


def test_a_service_that_ends_at_once_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="ended before it was ready"),
        running(Service(("-c", "raise SystemExit(3)")), tmp_path / "log"),
    ):
        pass


@pytest.mark.slow  # it exports a network
def test_the_phobert_shaped_network_gives_the_shipped_verdicts_for_the_price_of_its_own_encoder(
    tmp_path: Path,
) -> None:
    shape = phobert_shape()
    shape.vocab_size, shape.hidden_size, shape.num_hidden_layers, shape.intermediate_size = 500, 24, 1, 48
    make(SHIPPED, tmp_path / "folder", shape)
    found = agreement(SHIPPED, tmp_path / "folder", 150)
    assert found["same"] > 0.95
    assert found["phobert_not_legitimate"] == pytest.approx(found["shipped_not_legitimate"], abs=0.03)
    names = [one.name for one in onnx.load(tmp_path / "folder" / ONNX).graph.initializer]
    assert any(name.startswith("phobert.") for name in names)
    assert not any(name.startswith("encoder.roberta") for name in names)
