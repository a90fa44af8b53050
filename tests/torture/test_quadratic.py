"""Time grows with the length of a message, not with its square; ratios, as machines differ."""

from dataclasses import replace
from functools import partial

import pytest

from data.messages import MAX_CHARACTERS
from model.classifier import Classifier
from tests.torture.quadratic import STEEPEST, cost, grows, redaction_cost
from tests.torture.shapes import KNOWN, Shape, search


@pytest.mark.parametrize("shape", KNOWN, ids=lambda shape: ascii(shape.piece))
def test_twice_the_length_takes_about_twice_the_time(shape: Shape, tiny_classifier: Classifier) -> None:
    assert grows(partial(cost, tiny_classifier, shape)) <= STEEPEST


def test_masking_twice_the_length_takes_about_twice_the_time() -> None:
    steep = {shape: ratio for shape in KNOWN if (ratio := grows(partial(redaction_cost, shape))) > STEEPEST}
    assert not steep


def test_a_shape_fills_the_limit_between_its_opening_and_its_ending() -> None:
    text = Shape("ab", "<", ">").text()
    assert len(text) == MAX_CHARACTERS
    assert (text[:3], text[-2:]) == ("<ab", "b>")


def test_the_search_climbs_to_what_is_slow() -> None:
    found = search(lambda shape: shape.piece.count("@"), 0.02)
    assert found[0][0] > search(lambda shape: shape.piece.count("@"), 0)[0][0]


def test_what_grows_with_the_square_is_told_from_what_does_not() -> None:
    assert grows(lambda length, _: length * 1e-5) == 2
    assert grows(lambda length, _: length**2 * 1e-7) == 4
    assert replace(Shape("a"), ending="b").text(3) == "aab"
