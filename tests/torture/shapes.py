"""Shapes of long messages: a piece again and again. Those that aim at a pattern, and a search for more."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from data.messages import MAX_CHARACTERS


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


_PIECES = (
    "a", "A", "đ", "ệ", "0", "1", " ", ".", "-", "/", "@", ":", "(", "[", "<", "_", "~", "|", "\n",
    "a.", ".a", "1.1.1", "a-a-a-", "a@", "@a", "://", "http://", "hxxp://", "www.", "((((", "[.]",
    "0 0 0 0 ", "1 1 ", "0.0", "0-0 ", "09.", "+84 ", "1900 ", "a1", "1a", "a\u200b", "\u200ba",
    "a\u0301\u0302\u0303", "\u0301", "\u20dd", "N/o h/u ", "n/o ", "k.k.k.", "n.o.h.u ", "n o ",
    "aа", "aα", "ａ", "𝐚", "①", "ﷺ", "<url>", "<url_other> ", "<sender>", "<phone>", "<s></s>",
    "vcb-a.top ", "vcba.top ", "acba.vn ", "vcb-a.top", "a.vn ", "a.com.vn.",
    "vietcom-a.top ", "x.page.link ", "bit.ly/a ",
    "1.000.000d ", "1tr5 ", "500k", "$1 ", "1,1,1,", "18/7 ", "18/07/2025 ", "ngay 18 thang 7 ",
    "stk 1234567 ", "stk", "0912345678 ", "0912345678", "otp 123456 ", "otp ", "ma ", "lh ", "tk ",
    "NapLanDau", "Na.pVao", "aAaA", "a.A", "NHAN_TIEN", "NHAN_TIEN~", "l0to ", "a0", "0a0", "1OOK",
    "phuc~vu_", "a!a$", "@$!", "v-ui ", "ph|i ", "a. ", "a, ", "a? ", "a\n", "a… ", ". ", "!a",
    "chao anh Nguyen ", "Nguyen ", "anh ", "ten la ", "kh ", "gui ", "chao ", "ong/ba ",
    "otp otp ", "so the ", "cccd ", "cccd", "visa", "stk:", "the the ", "ma so la : ", "cvv ",
    "\U0001f468\u200d\U0001f469\u200d", "\U0001f1fb\U0001f1f3", "\u1100", "क\u094d", "\u0600", "😀",
    "Tai khoan bi khoa, dang nhap vcb-digi.top ngay. ", "Chuyen khoan ngay, ", "Trung thuong! ",
    "\u200d\n", "0\u200d9\u200d1\u200d2\u200d3\u200d4\u200d5\u200d6\u200d7\u200d8\u200d ",
    "a\u094d\n",
    "a.b@c.d ", "a@b.c", "a+a@", "a-.", "a_-", "xn--", "1.1.1.1 ", "a..b", "a.[a", "a .com ",
)  # fmt: skip
#: What a person who knows the patterns would try: each is aimed at one of them.
KNOWN = tuple(map(Shape, _PIECES))

#: What shapes are made of in the search.
ATOMS = (
    *"aoiđệ01479.,:;/-_~|@$!?%#&=+*()[]<>'\"`•^… \n\t",
    "com", "vn", "top", "vcb", "vietcombank", "viettel", "mb", "acb", "http://", "www.",
    "hxxps://", "bit.ly",
    "stk", "otp", "lh", "ma", "la", "tk", "cccd", "the", "chao", "anh", "Nguyen", "Van",
    "ten", "kh", "so",
    "0912345678", "1900", "84", "000", "500k", "tr", "trieu", "ngay", "thang", "18/7", "vnd",
    "$5", "ck",
    "Nap", "Lan", "h/u", "N/o", "n.o", "k3o", "OO", "\u200b", "\u0301", "\u0323", "а", "ａ",
    "\u200d", "😀",
    "<url_other>", "<sender>", "[.]", "(.)", "://", "chuyen khoan", "dang nhap", "page.link", "gov",
)  # fmt: skip


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
