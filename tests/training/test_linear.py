from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.corpus import load
from data.messages import Conversation
from data.taxonomy import taxonomy
from model.reader import Reader
from model.tokenizer import Tokenizer
from training.bases import copy_tokenizer, find_base
from training.blend import Blend, Weights, blended_logits, encoder_log_odds
from training.calibrate import are_scams
from training.config import Config
from training.finetune import _classifier
from training.linear import LinearModel, fit_linear


@pytest.fixture(scope="module")
def linear(config: Config, corpus: Path) -> LinearModel:
    return fit_linear(load(corpus), config)


def test_it_has_learnt_what_it_was_shown(linear: LinearModel, corpus: Path) -> None:
    examples = load(corpus)
    odds = linear.log_odds([example.conversation for example in examples])
    right = (odds > 0) == np.array([example.label == "scam" for example in examples])
    assert right.mean() > 0.95


def test_it_answers_the_same_after_saving(linear: LinearModel, tmp_path: Path) -> None:
    linear.save(tmp_path / "linear.safetensors")
    conversations = [
        Conversation.from_text(text) for text in ("trúng thưởng", "mai họp lúc 8h", "\U0001f600")
    ]
    again = LinearModel.load(tmp_path / "linear.safetensors")
    np.testing.assert_array_equal(again.log_odds(conversations), linear.log_odds(conversations))


def test_variants_teach_weights_and_add_nothing_to_the_vocabulary(
    config: Config, corpus: Path, linear: LinearModel
) -> None:
    varied = replace(config, linear=replace(config.linear, variants=1))
    examples = load(corpus)[:200]
    plain, taught = fit_linear(examples, config), fit_linear(examples, varied)
    np.testing.assert_array_equal(plain.vocabulary.keys, taught.vocabulary.keys)
    assert (plain.weights != taught.weights).any()


def test_the_network_adds_the_linear_log_odds_to_the_encoders(
    config: Config, linear: LinearModel, corpus: Path, compact_base: Path, tmp_path: Path
) -> None:
    base = find_base(str(compact_base))
    copy_tokenizer(base, tmp_path)
    encoder = _classifier(base, config.finetune).eval()
    conversations = [example.conversation for example in load(corpus)[:20]]
    reader = Reader(Tokenizer.from_folder(tmp_path), linear.vocabulary, base.view, base.max_tokens)
    inputs = [reader.inputs_of(one) for one in conversations]
    logits = torch.from_numpy(
        blended_logits(Blend(encoder, linear, Weights(0.5, 0.7, -0.2)).eval(), inputs)
    )
    scam = torch.from_numpy(are_scams(taxonomy().ids))
    odds = (logits[:, scam].logsumexp(-1) - logits[:, ~scam].logsumexp(-1)).numpy()
    expected = 0.5 * encoder_log_odds(encoder, inputs) + 0.7 * linear.log_odds(conversations) - 0.2
    np.testing.assert_allclose(odds, expected, atol=0.02)  # the tables are fp16 in the network
