"""The service for a long time under messages that are all different: its memory must stay."""

import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from tests.torture.service import Running, running
from tests.torture.table import Row

#: Megabytes a minute that the memory may grow by, after the warm-up.
GROWTH = 1.0
#: Judgments that the service keeps: few, so that they are not taken for a leak while they fill up.
CACHED = "1000"
#: Share of the time that is warm-up: caches fill, the allocator settles.
WARM_UP = 0.3


def sampled(service: Running, seconds: float) -> list[tuple[float, float]]:
    """(minutes, megabytes) about once a second while unique messages are asked, one after another."""
    samples: list[tuple[float, float]] = []
    begun = time.monotonic()
    for number in count():
        passed = time.monotonic() - begun
        if passed > seconds:
            return samples
        if passed >= len(samples):
            samples.append((passed / 60, service.memory / 2**20))
        word = f"{number * 7919:x}"
        text = (
            f"Tai khoan {word} bi khoa, vao http://vcb-{word}.top, goi 09{number % 10**8:08}, gap {word}a!"
        )
        status, _ = service.ask(body={"text": text})
        if status != 200:
            raise RuntimeError(f"status {status} after {passed:.0f} s")
    return samples


def growth(samples: Sequence[tuple[float, float]]) -> float:
    """Megabytes a minute: the slope of the straight line through the samples after the warm-up.

    >>> round(growth([(0, 90), (1, 99), (2, 100), (3, 101), (4, 102)]), 3)
    1.0
    """
    warm = samples[int(len(samples) * WARM_UP) :]
    minutes, megabytes = zip(*warm, strict=True)
    return float(np.polyfit(minutes, megabytes, 1)[0])


def check(place: Path, model: Path | None = None, *, minutes: float = 30) -> Iterator[Row]:
    """The row for so many minutes."""
    with running(place / "soak", model=model, cache_size=CACHED) as service:
        samples = sampled(service, minutes * 60)
    grown = growth(samples)
    seen = f"{grown:+.2f} MB/min, {samples[0][1]:.0f} to {samples[-1][1]:.0f} MB, {len(samples)} samples"
    yield Row(f"soak of {minutes:g} min", f"<= {GROWTH:g} MB/min after warm-up", seen, grown <= GROWTH)
