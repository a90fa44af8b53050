"""What senders do to a message so that a filter does not know it again; a person still reads it.

Each attack rewrites a share of the words, its *strength*. Links, numbers and whatever else holds a
digit or a sign stay: a scammer needs them to work. The same attacks measure a model
(``canhgiac attack``) and vary what it learns from (``training.augment``).

>>> ATTACKS["leet"]("Chuyen tien ngay vao vcb-digi.top", 1.0, Random(1))
'Chuy3n t!3n ng@y v@0 vcb-digi.top'
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from random import Random

from data.messages import MAX_CHARACTERS, Conversation
from model.normalize import fold

Attack = Callable[[str, float, Random], str]
Rewrite = Callable[[str, Random], str]

#: Share of the words that are rewritten.
STRENGTHS: Mapping[str, float] = {"low": 0.1, "medium": 0.3, "high": 0.6}

#: Letters only, between spaces or ordinary punctuation: no link, address, number or code.
_WORD = re.compile(r"(?<![^\s(\"'“])[^\W\d_]+(?=[.,;:!?)\"'”…]*(?:\s|$))")
_LETTERS = re.compile(r"[^\W\d_]+")

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$"}
#: Cyrillic and Greek letters that look the same.
_LOOKALIKES = {
    "a": "аα", "c": "с", "e": "е", "i": "і", "o": "оο", "p": "р", "x": "х", "y": "у", "h": "һ",
    "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "K": "КΚ", "M": "МΜ", "N": "Ν",
    "O": "ОΟ", "P": "РΡ", "T": "ТΤ", "X": "ХΧ", "Y": "ΥҮ",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SEPARATORS = ".-/*_|·"
#: How people shorten words in chat, by folded word; a word apart.
_TEENCODE = {
    "anh": "a", "em": "e", "chi": "c", "ban": "b", "minh": "mk mh", "toi": "t", "khong": "ko k hok kg",
    "duoc": "dc dk", "gi": "j", "vay": "z v", "voi": "vs", "roi": "r", "biet": "bit", "nguoi": "ng",
    "trong": "trog", "nhieu": "nhiu", "viec": "vc", "qua": "wa", "cung": "cug", "lam": "lm", "nay": "nai",
    "luon": "lun", "sao": "s", "thang": "thag", "hang": "hag", "muon": "mun", "them": "thim", "bao": "pao",
    "hom": "hum", "the": "tke", "con": "kon", "thoi": "thui", "moi": "moy", "dung": "dug", "mot": "1",
    "nhung": "nhug", "phai": "fai", "yeu": "iu", "buon": "bun", "nhe": "nha",
}  # fmt: skip
_MARK = "\0"
_MARKED = re.compile(rf"{_MARK}\S+")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def attack(conversation: Conversation, rewrite: Attack, strength: float, random: Random) -> Conversation:
    """The conversation with the sender's turns rewritten; the recipient's stay."""
    messages = tuple(
        # signs and spaces lengthen a text; one that no phone sends is no attack
        dataclasses.replace(m, text=rewrite(m.text, strength, random)[:MAX_CHARACTERS])
        if m.role == "sender"
        else m
        for m in conversation.messages
    )
    return dataclasses.replace(conversation, messages=messages)


def _on_words(rewrite: Rewrite, text: str, strength: float, random: Random) -> str:
    """Each word rewritten with probability ``strength``."""
    return _WORD.sub(lambda m: rewrite(m[0], random) if random.random() < strength else m[0], text)


def _diacritics(word: str, random: Random) -> str:
    return "".join(b.upper() if c.isupper() else b for c, b in zip(word, fold(word), strict=True))


def _leet(word: str, random: Random) -> str:
    return _exchanged(word, {c: _LEET[fold(c)] for c in word if fold(c) in _LEET}, random)


def _lookalikes(word: str, random: Random) -> str:
    return _exchanged(word, _LOOKALIKES, random)


def _exchanged(word: str, table: Mapping[str, str], random: Random) -> str:
    """Each letter of the table exchanged at even odds, one of them surely."""
    surely = random.choice([index for index, c in enumerate(word) if c in table] or [-1])
    return "".join(
        random.choice(table[c]) if c in table and (index == surely or random.random() < 0.5) else c
        for index, c in enumerate(word)
    )


def _invisible(word: str, random: Random) -> str:
    cut = random.randint(1, max(1, len(word) - 1))
    return word[:cut] + random.choice(_INVISIBLE) + word[cut:]


def _separators(word: str, random: Random) -> str:
    """k.h.ô.n.g, or the word halved: kh/ông."""
    if len(word) < 2:
        return word
    sign = random.choice(_SEPARATORS)
    if random.random() < 0.5:
        return sign.join(word)
    cut = random.randint(1, len(word) - 1)
    return word[:cut] + sign + word[cut:]


def _spacing(text: str, strength: float, random: Random) -> str:
    """Words run together, and words spaced out letter by letter."""
    text = _run_together(text, _LETTERS, strength / 2, random)
    return _on_words(lambda w, r: " ".join(w) if r.random() < 0.3 else w, text, strength, random)


def _mashed(text: str, strength: float, random: Random) -> str:
    """NapLa:nDa'u: words run together, each with a capital, a sign dropped into some, j written for i."""
    marked = _on_words(_marked, text, strength, random)
    return _run_together(marked, _MARKED, 0.7, random).replace(_MARK, "")


def _run_together(text: str, words: re.Pattern[str], chance: float, random: Random) -> str:
    """Each space between two whole words lost at a chance."""
    parts = text.split(" ")
    joined = parts[0]
    for before, after in pairwise(parts):
        both = words.fullmatch(before) and words.fullmatch(after)
        joined += after if both and random.random() < chance else f" {after}"
    return joined


def _marked(word: str, random: Random) -> str:
    if random.random() < 0.3:
        word = word.replace("i", "j")
    if random.random() < 0.5:
        cut = random.randint(1, max(1, len(word) - 1))
        word = word[:cut] + random.choice(".:'~_") + word[cut:]
    return f"{_MARK}{word.capitalize()}"


def _teencode(word: str, random: Random) -> str:
    folded = fold(word)
    if folded in _TEENCODE:
        return random.choice(_TEENCODE[folded].split())
    for long, short in (("ngh", "ng"), ("ph", "f"), ("kh", "k"), ("qu", "w"), ("gi", "j"), ("c", "k")):
        if folded.startswith(long) and not folded.startswith("ch"):
            return short + word[len(long) :]
    return re.sub(r"ng$", "g", word)


def _typos(word: str, random: Random) -> str:
    """One slip of the finger: a letter doubled, lost, exchanged with the next or with its neighbour key."""
    if len(word) < 2:
        return word
    at = random.randint(0, len(word) - 2)
    slips = (
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + _neighbour(word[at], random) + word[at + 1 :],
    )
    return random.choice(slips)


def _neighbour(letter: str, random: Random) -> str:
    plain = fold(letter)
    for row in _KEYS:
        place = row.find(plain)
        if place >= 0:
            return row[min(max(place + random.choice((-1, 1)), 0), len(row) - 1)]
    return letter


def _case(word: str, random: Random) -> str:
    return random.choice((word.upper(), word.lower(), word.swapcase(), word[:1].lower() + word[1:].upper()))


ATTACKS: Mapping[str, Attack] = {
    "diacritics": partial(_on_words, _diacritics),
    "leet": partial(_on_words, _leet),
    "look-alikes": partial(_on_words, _lookalikes),
    "invisible": partial(_on_words, _invisible),
    "separators": partial(_on_words, _separators),
    "spacing": _spacing,
    "mashed": _mashed,
    "teencode": partial(_on_words, _teencode),
    "typos": partial(_on_words, _typos),
    "case": partial(_on_words, _case),
}
