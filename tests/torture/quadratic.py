"""What the slowest messages cost, and whether time grows with their length or with its square.

Time is the processor time of this thread for verdict, evidence and indicators: all that a request costs.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from data.messages import MAX_CHARACTERS, Conversation
from data.redact import redact
from model.classifier import Classifier
from model.entities import find_entities
from model.evidence import decisive, evidence, indicators, reasons
from model.normalize import normalize
from tests.torture.shapes import Shape, search
from tests.torture.table import Row

#: Milliseconds of one core that a message may cost.
SLOWEST = 50
#: Growth for twice the length that is still linear, the measurement being noisy.
STEEPEST = 2.6


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Processor seconds of this thread for ``work``, the fastest of so many times."""
    taken = []
    for _ in range(times):
        begun = time.thread_time()
        work()
        taken.append(time.thread_time() - begun)
    return min(taken)


def answered(classifier: Classifier, text: str) -> None:
    """All that a request does with one message; one of spaces alone is refused before.

    The verdict is taken to be *scam*: only then evidence is looked for, and a sender can see to that.
    """
    if not text.strip():
        return
    reading = classifier.read(Conversation.from_text(text))
    scam = replace(classifier.predict_reading(reading), verdict="scam")
    evidence(classifier, reading, scam)
    indicators(reading.messages)


def cost(classifier: Classifier, shape: Shape, length: int = MAX_CHARACTERS, times: int = 1) -> float:
    """Seconds to answer a message of this shape."""
    return seconds(lambda: answered(classifier, shape.text(length)), times)


def redaction_cost(shape: Shape, length: int = MAX_CHARACTERS, times: int = 1) -> float:
    """Seconds to mask a message of this shape, as feedback is, in both roles' words."""
    conversation = Conversation.from_text(shape.text(length))
    [message] = conversation.messages
    both = replace(conversation, messages=(message, replace(message, role="recipient")))
    return seconds(lambda: redact(both), times)


def stages(classifier: Classifier, text: str) -> dict[str, float]:
    """Milliseconds of each stage for one message, each run by itself.

    ``read`` is normalizing, entities and view; ``predict`` tokens, n-grams and the network once.
    """
    conversation = Conversation.from_text(text)
    normalized = normalize(text).text
    reading = classifier.read(conversation)
    scam = replace(classifier.predict_reading(reading), verdict="scam")
    tokenizer, vocabulary = classifier._reader.tokenizer, classifier._reader.vocabulary
    limit = classifier.manifest.max_tokens
    alone: dict[str, Callable[[], object]] = {
        "normalize": lambda: normalize(text),
        "entities": lambda: find_entities(normalized),
        "read": lambda: classifier.read(conversation),
        "tokenize": lambda: tokenizer.encode(reading.view.text, limit),
        "ngrams": lambda: vocabulary.encode(reading.folded.text),
        "predict": lambda: classifier.predict_reading(reading),
        "decisive": lambda: decisive(classifier, reading, scam),
        "reasons": lambda: reasons(reading, scam, []),
        "indicators": lambda: indicators(reading.messages),
    }
    return {name: seconds(work, 2) * 1000 for name, work in alone.items()}


def grows(cost_at: Callable[[int, int], float]) -> float:
    """How many times as long a message of the limit takes as one of half of it.

    ``cost_at`` gives the seconds at a length, the fastest of so many times. 2 is linear, 4 quadratic.
    """
    ratio = 0.0
    for times in (1, 3, 5):  # measured more often only where it looks bad
        ratio = cost_at(MAX_CHARACTERS, times) / max(cost_at(MAX_CHARACTERS // 2, times), 1e-4)
        if ratio <= STEEPEST:
            break
    return ratio


def report(classifier: Classifier, slowest: Sequence[Shape]) -> str:
    """The slowest shapes as lines: the time, its growth from half the length, the shape, its stages."""
    lines = []
    for shape in slowest:
        whole, half = (
            cost(classifier, shape, times=2),
            cost(classifier, shape, MAX_CHARACTERS // 2, times=2),
        )
        parts = " ".join(f"{name}={taken:.1f}" for name, taken in stages(classifier, shape.text()).items())
        lines.append(f"{whole * 1000:8.1f} ms  x{whole / half:.1f}  {shape!r}\n             {parts}")
    return "\n".join(lines)


def check(folder: Path, *, minutes: float = 1.0) -> Iterator[Row]:
    """The rows for a model folder: of the slowest messages that a search of so many minutes finds."""
    classifier = Classifier.from_pretrained(folder)
    answered(classifier, "a")
    found = search(lambda shape: cost(classifier, shape), minutes)[:10]
    worst, shape = max((cost(classifier, shape, times=3), shape) for _, shape in found)
    slow = report(classifier, [shape for _, shape in found])
    must = f"<= {SLOWEST} ms of processor time"
    seen = f"{worst * 1000:.0f} ms: {shape!r}\n{slow}"
    yield Row("slowest message of 2,000 characters", must, seen, worst * 1000 <= SLOWEST)
    steep = {shape.piece: grows(partial(cost, classifier, shape)) for _, shape in found}
    piece = max(steep, key=lambda piece: steep[piece])
    seen = f"x{steep[piece]:.1f}: {piece!r}"
    must = f"at most x{STEEPEST} for twice the length"
    yield Row("steepest of those", must, seen, steep[piece] <= STEEPEST)
    masked, shape = search(redaction_cost, minutes / 2)[0]
    masked = redaction_cost(shape, times=3)
    yield Row(
        "slowest to mask",
        must=f"<= {SLOWEST} ms",
        seen=f"{masked * 1000:.0f} ms: {shape!r}",
        ok=masked * 1000 <= SLOWEST,
    )
