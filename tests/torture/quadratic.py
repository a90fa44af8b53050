"""Messages that are slow to read for their length: known shapes, and a random search for more.

A shape is a piece that is repeated up to the limit of a message, with an opening and an ending. Time
is the processor time of this thread for verdict, evidence and indicators: all that a request costs.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.messages import MAX_CHARACTERS, Conversation
from data.redact import redact
from model.classifier import Classifier
from model.entities import find_entities
from model.evidence import decisive, evidence, indicators, reasons
from model.normalize import normalize
from tests.torture.table import Row

#: Milliseconds of one core that a message may cost.
SLOWEST = 50
#: Growth for twice the length that is still linear, the measurement being noisy.
STEEPEST = 2.6


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """``opening``, then ``piece`` again and again, then ``ending``."""

    piece: str
    opening: str = ""
    ending: str = ""

    def text(self, length: int = MAX_CHARACTERS) -> str:
        """The shape at a length in characters."""
        room = length - len(self.opening) - len(self.ending)
        return self.opening + (self.piece * (room // len(self.piece) + 1))[:room] + self.ending


#: What a person who knows the patterns would try: each is aimed at one of them.
KNOWN = tuple(
    map(
        Shape,
        (
            *("a", "A", "đ", "ệ", "0", "1", " ", ".", "-", "/", "@", ":", "(", "[", "<", "_", "~", "|", "\n"),
            *("a.", ".a", "1.1.1", "a-a-a-", "a@", "@a", "://", "http://", "hxxp://", "www.", "((((", "[.]"),
            *("0 0 0 0 ", "1 1 ", "0.0", "0-0 ", "09.", "+84 ", "1900 ", "a1", "1a", "a\u200b", "\u200ba"),
            *("a\u0301\u0302\u0303", "\u0301", "\u20dd", "N/o h/u ", "n/o ", "k.k.k.", "n.o.h.u ", "n o "),
            *("aа", "aα", "ａ", "𝐚", "①", "ﷺ", "<url>", "<url_other> ", "<sender>", "<phone>", "<s></s>"),
            *("vcb-a.top ", "vcba.top ", "acba.vn ", "vcb-a.top", "a.vn ", "a.com.vn.", "vietcom-a.top ", "x.page.link ", "bit.ly/a "),
            *("1.000.000d ", "1tr5 ", "500k", "$1 ", "1,1,1,", "18/7 ", "18/07/2025 ", "ngay 18 thang 7 "),
            *("stk 1234567 ", "stk", "0912345678 ", "0912345678", "otp 123456 ", "otp ", "ma ", "lh ", "tk "),
            *("NapLanDau", "Na.pVao", "aAaA", "a.A", "NHAN_TIEN", "NHAN_TIEN~", "l0to ", "a0", "0a0", "1OOK"),
            *("phuc~vu_", "a!a$", "@$!", "v-ui ", "ph|i ", "a. ", "a, ", "a? ", "a\n", "a… ", ". ", "!a"),
            *("chao anh Nguyen ", "Nguyen ", "anh ", "ten la ", "kh ", "gui ", "chao ", "ong/ba "),
            *("otp otp ", "so the ", "cccd ", "cccd", "visa", "stk:", "the the ", "ma so la : ", "cvv "),
            *("\U0001f468\u200d\U0001f469\u200d", "\U0001f1fb\U0001f1f3", "\u1100", "क\u094d", "\u0600", "😀"),
            *("Tai khoan bi khoa, dang nhap vcb-digi.top ngay. ", "Chuyen khoan ngay, ", "Trung thuong! "),
            *("\u200d\n", "0\u200d9\u200d1\u200d2\u200d3\u200d4\u200d5\u200d6\u200d7\u200d8\u200d ", "a\u094d\n"),
            *("a.b@c.d ", "a@b.c", "a+a@", "a-.", "a_-", "xn--", "1.1.1.1 ", "a..b", "a.[a", "a .com "),
        ),
    )
)

#: What shapes are made of in the search.
ATOMS = (
    *"aoiđệ01479.,:;/-_~|@$!?%#&=+*()[]<>'\"`•^… \n\t",
    *("com", "vn", "top", "vcb", "vietcombank", "viettel", "mb", "acb", "http://", "www.", "hxxps://", "bit.ly"),
    *("stk", "otp", "lh", "ma", "la", "tk", "cccd", "the", "chao", "anh", "Nguyen", "Van", "ten", "kh", "so"),
    *("0912345678", "1900", "84", "000", "500k", "tr", "trieu", "ngay", "thang", "18/7", "vnd", "$5", "ck"),
    *("Nap", "Lan", "h/u", "N/o", "n.o", "k3o", "OO", "\u200b", "\u0301", "\u0323", "а", "ａ", "\u200d", "😀"),
    *("<url_other>", "<sender>", "[.]", "(.)", "://", "chuyen khoan", "dang nhap", "page.link", "gov"),
)


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


def search(
    cost_of: Callable[[Shape], float], minutes: float, seed: int = 0, families: int = 20
) -> list[tuple[float, Shape]]:
    """The slowest shapes found in ``minutes``, one a family, the slowest first.

    A family is a known or a random shape and its mutations: the slowest of each is mutated on, so that
    one slow pattern does not hide another.
    """
    chance = random.Random(seed)
    end = time.monotonic() + minutes * 60
    best = [(cost_of(shape), shape) for shape in KNOWN]
    while time.monotonic() < end:
        best.sort(key=lambda pair: -pair[0])
        if chance.random() < 0.3:
            shape = _random(chance)
            best.append((cost_of(shape), shape))
            continue
        family = chance.randrange(min(families, len(best)))
        shape = _mutated(chance, best[family][1])
        best[family] = max(best[family], (cost_of(shape), shape), key=lambda pair: pair[0])
    return sorted(best, key=lambda pair: -pair[0])


def _random(chance: random.Random) -> Shape:
    def part(longest: int) -> str:
        return "".join(chance.choices(ATOMS, k=chance.randint(0, longest)))

    return Shape(part(5) or "a", part(2), part(2))


def _mutated(chance: random.Random, shape: Shape) -> Shape:
    """The shape with one atom put in, taken out or exchanged, or with another opening or ending."""
    where = chance.randrange(len(shape.piece) + 1)
    atom = chance.choice(ATOMS)
    piece = shape.piece
    return chance.choice(
        (
            replace(shape, piece=(piece[:where] + atom + piece[where:])[:60]),
            replace(shape, piece=piece[:where] + piece[where + 1 :] or atom),
            replace(shape, piece=piece[:where] + atom + piece[where + 1 :]),
            replace(shape, opening=atom + shape.opening[:40]),
            replace(shape, ending=shape.ending[:40] + atom),
        )
    )


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
        whole, half = cost(classifier, shape, times=2), cost(classifier, shape, MAX_CHARACTERS // 2, times=2)
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
    steep = {shape.piece: grows(lambda n, t, s=shape: cost(classifier, s, n, t)) for _, shape in found}
    piece = max(steep, key=lambda piece: steep[piece])
    seen = f"x{steep[piece]:.1f}: {piece!r}"
    must = f"at most x{STEEPEST} for twice the length"
    yield Row("steepest of those", must, seen, steep[piece] <= STEEPEST)
    masked, shape = search(redaction_cost, minutes / 2)[0]
    masked = redaction_cost(shape, times=3)
    yield Row("slowest to mask", must=f"<= {SLOWEST} ms", seen=f"{masked * 1000:.0f} ms: {shape!r}", ok=masked * 1000 <= SLOWEST)
