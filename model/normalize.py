"""Normalize a message: undo what senders do to hide words, and keep the way back.

The first of the three steps (normalize, segment, tokenize). A message arrives with zero-width
characters, letters borrowed from other alphabets, ``1OOK`` for ``100K`` and ``N/o h/u`` for
``No hu``. What comes out reads as a person reads it, and every character still knows where it
stood in the received text, because evidence is reported on the text as received.

>>> normalized = normalize("Tặng 1OOK vào N/ổ h/ũ")
>>> normalized.text
'Tặng 100K vào Nổ hũ'
>>> normalized.span(14, 19)  # "Nổ hũ", in the text as received
(14, 21)
>>> fold(normalized.text)
'tang 100k vao no hu'
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from data.facts import confusables, organisations

#: Saved in every manifest; a model folder made with another version refuses to load.
NORMALIZER_VERSION = 3


#: Letters that one character may add in compatibility form. ﷺ adds seventeen, so that a short message
#: of it would be a long one; no Vietnamese writes it.
LONGEST_LIGATURE = 3


@dataclass(frozen=True, slots=True)
class Normalized:
    """Normalized text and the map back to the text as received.

    A space that was put in between two words stands for the letter before it.

    ``text[i]`` stands for ``received[starts[i]:ends[i]]``; both rise with ``i``.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open range of the received text behind ``text[start:end]``, which is not empty."""
        return self.starts[start], self.ends[end - 1]


def normalize(text: str) -> Normalized:
    """The text as a person reads it: composed, visible, in Latin letters, split words joined.

    Case and diacritics stay; see ``fold``. Time grows linearly with the length.
    """
    composed = _compose(text)
    normalized = _read_leet(_rewrite(composed, _matched(_JOINED, composed.text), _unjoin))
    for pattern, exchange in _REWRITES:
        normalized = _rewrite(normalized, _matched(pattern, normalized.text), exchange)
    return _mend_words(_part_glued(normalized))


def fold(text: str) -> str:
    """Lower case without diacritics, one character for one character.

    Half of all Vietnamese SMS are typed without diacritics; folding gives both halves one view.

    >>> fold("Đường Nguyễn Huệ")
    'duong nguyen hue'
    """
    return "".join(map(_fold_character, text))


@cache
def _fold_character(character: str) -> str:
    """The base letter in lower case, or the character itself where that is not one character."""
    base = unicodedata.normalize("NFD", character)[0].lower().replace("đ", "d")
    return base if len(base) == 1 else character


def _compose(text: str) -> Normalized:
    """What a reader sees: NFKC, invisible characters dropped, each run of spaces made one."""
    if _PLAIN.fullmatch(text):
        return Normalized(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, cluster in _clusters(text):
        for character in _visible(cluster):
            if character == " " and (not characters or characters[-1] == " "):
                continue
            characters.append(character)
            starts.append(start)
            ends.append(end)
    if characters and characters[-1] == " ":
        characters.pop(), starts.pop(), ends.pop()
    return Normalized("".join(characters), tuple(starts), tuple(ends))


#: Composed Vietnamese letters and ASCII with single spaces: nothing to compose. Most messages are that.
_VISIBLE = (
    "!-~"
    + "".join(
        sorted(
            {
                c
                for c in map(chr, range(0xC0, 0x1EFA))
                if unicodedata.normalize("NFD", c)[0] in "aeiouyAEIOUY"
            }
        )
    )
    + "đĐ"
)
_PLAIN = re.compile(f"[{_VISIBLE}]+(?: [{_VISIBLE}]+)*")


def _clusters(text: str) -> list[tuple[int, int, str]]:
    """Each base character with its combining marks, where it starts and where it ends.

    Invisible characters (zero-width, direction marks) belong to no cluster and part none. Two
    marks are the most that a Vietnamese letter carries; more are decoration and are dropped.
    """
    clusters: list[tuple[int, int, str]] = []
    for index, character in enumerate(text):
        if character.isascii():
            clusters.append((index, index + 1, character))
        elif unicodedata.category(character) in ("Cf", "Me"):
            continue
        elif clusters and unicodedata.combining(character):
            start, _, cluster = clusters[-1]
            kept = cluster + character if len(cluster) <= 2 else cluster
            clusters[-1] = (start, index + 1, kept)
        else:
            clusters.append((index, index + 1, character))
    return clusters


@lru_cache(maxsize=4096)  # most are met all the time
def _visible(cluster: str) -> str:
    """One cluster composed, in compatibility form, other alphabets' look-alikes made Latin."""
    seen = []
    composed = unicodedata.normalize("NFKC", cluster)
    if len(composed) > len(cluster) + LONGEST_LIGATURE:
        return " "
    for character in composed:
        category = unicodedata.category(character)
        if category[0] == "Z" or category == "Cc":
            seen.append(" ")
        elif category not in ("Mn", "Cn", "Co", "Cs"):
            seen.append(confusables().get(character, character))
    return "".join(seen)


def _matched(pattern: re.Pattern[str], text: str) -> set[int]:
    """Where the characters of all matches stand."""
    return {index for match in pattern.finditer(text) for index in range(*match.span())}


def _rewrite(normalized: Normalized, inside: set[int], exchange: Callable[[str], str]) -> Normalized:
    """Pass each character inside through ``exchange``, which may drop it."""
    if not inside:
        return normalized
    characters = [
        exchange(character) if index in inside else character
        for index, character in enumerate(normalized.text)
    ]
    kept = [index for index, character in enumerate(characters) if character]
    return Normalized(
        "".join(characters),
        tuple(normalized.starts[index] for index in kept),
        tuple(normalized.ends[index] for index in kept),
    )


_LETTER = r"[^\W\d_]"
_SEPARATORS = "./-_*|·•~^:'`"
_SEPARATOR = f"[{re.escape(_SEPARATORS)}]"
_HALVED = rf"{_LETTER}{{1,2}}{_SEPARATOR}{_LETTER}{{1,3}}"
#: Two halves of a word. One letter before an ordinary sign is an abbreviation: k/hang, B.An.
_HALVES = re.compile(
    rf"(?<![\w./@:=&?#-])(?P<first>{_LETTER}(?:[_*|·•~^]|{_LETTER}{{1,5}}[./:\-_*|·•~^'`]))"
    rf"(?P<second>{_LETTER}{{1,6}})(?![\w/@]|[.-]\w)"
)
#: Letters and signs without a space.
_GLUED = re.compile(
    rf"(?<![\w./@:=&?#-])(?:{_LETTER}|[{re.escape(_SEPARATORS)}](?={_LETTER})){{4,40}}(?![\w/@]|[.-]\w)"
)
_WORD = rf"(?:{_LETTER}|[01](?={_LETTER})){{2,}}"

#: NHAN_TIEN, KH0NG_DUOC, phuc~vu: a sign for the space between words; not in a link or an address.
_JOINED = re.compile(rf"(?<![\w./@:=&?#-]){_WORD}(?:[_~]{_WORD})+(?![\w/@]|[.-]\w)")

#: The shape of a folded Vietnamese syllable: onset, vowels, coda.
SYLLABLE = re.compile(
    r"(?:ngh?|nh|gh?|kh?|ph?|th|tr|ch|qu|[bcdhlmnrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
)
_VIETNAMESE = re.compile(rf"(?:{SYLLABLE.pattern}){{1,2}}")
_LEET = str.maketrans("013457@$!jJ", "oieastasiiI")
#: A word with signs among its letters, or a zero at its end; no part of a link or an address.
_LEET_WORD = re.compile(
    rf"(?<![\w./@:=&?#$!-])(?=\S{{1,9}}?[013457@$!jJ])"
    rf"{_LETTER}(?:{_LETTER}|[013457@$!]+(?={_LETTER})){{0,8}}[0@]?(?![\w/@$]|[.-]\w)"
)
#: Capitals with one letter on each side are a code: V1A.
_CODE = re.compile(r"[A-ZĐ]\d[A-ZĐ]")


def _unjoin(character: str) -> str:
    return " " if character in "_~" else character


def _read_leet(normalized: Normalized) -> Normalized:
    """l0to, k3o, d!eu, KH0NG, h0: digits and signs are letters where that makes Vietnamese of a word.

    Links, addresses and codes (VD120M, QL1A) stay: what is imitated there is for ``hosts`` to say.
    """
    characters = list(normalized.text)
    for match in _LEET_WORD.finditer(normalized.text):
        word = match[0].translate(_LEET)
        word = word.upper() if match[0].isupper() else word
        if word != match[0] and _reads(word, match[0]) and not _CODE.fullmatch(match[0]):
            characters[slice(*match.span())] = word
    return dataclasses.replace(normalized, text="".join(characters))


def _reads(word: str, written: str) -> bool:
    """Whether a word is Vietnamese that was not Vietnamese as written."""
    return (
        bool(_VIETNAMESE.fullmatch(fold(word)))
        and not _VIETNAMESE.fullmatch(fold(written))
        and written[0] not in "jJ"
        and fold(written) not in _names()
    )


@cache
def _names() -> frozenset[str]:
    """Words of the organisations' names, which are no mistakes: momo, vietjet."""
    return frozenset(
        word
        for entry in organisations().values()
        for alias in entry.aliases
        for word in (*alias.split(), alias.replace(" ", ""))
    )


def _part_glued(normalized: Normalized) -> Normalized:
    """NapLanDau, Na.pVao: words run together with a capital each get their spaces back."""
    places = {
        place for match in _GLUED.finditer(normalized.text) for place in _seams(match[0], match.start())
    }
    if not places:
        return normalized
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, character in enumerate(normalized.text):
        if index in places:  # nothing stands for the space but the letter before it
            characters.append(" ")
            starts.append(starts[-1])
            ends.append(ends[-1])
        characters.append(character)
        starts.append(normalized.starts[index])
        ends.append(normalized.ends[index])
    return Normalized("".join(characters), tuple(starts), tuple(ends))


def _seams(token: str, start: int) -> list[int]:
    """Where the words of a token meet, if every one of them is a Vietnamese syllable."""
    if token[1:].islower():
        return []
    seams = [i for i in range(1, len(token)) if token[i].isupper() and _before(token, i).islower()]
    words = [token[a:b] for a, b in pairwise([0, *seams, len(token)])]
    syllables = [fold("".join(c for c in word if c.isalpha())) for word in words]
    whole = all(len(syllable) > 1 and SYLLABLE.fullmatch(syllable) for syllable in syllables)
    return [start + seam for seam in seams] if whole and "".join(syllables) not in _names() else []


def _before(token: str, index: int) -> str:
    """The letter before a place, a sign between them not counted."""
    previous = token[index - 1]
    return token[index - 2] if previous in _SEPARATORS and previous != "." and index > 1 else previous


def _mend_words(normalized: Normalized) -> Normalized:
    """v-ui, ph|í, Na.p: a word halved by a sign is made whole where the halves are no words."""
    dropped: set[int] = set()
    for match in _HALVES.finditer(normalized.text):
        first, second = fold(match["first"][:-1]), fold(match["second"])
        apart = SYLLABLE.fullmatch(first) and SYLLABLE.fullmatch(second)
        if SYLLABLE.fullmatch(first + second) and not apart and len(first + second) > 2:
            dropped.add(match.start("second") - 1)
    return _rewrite(normalized, dropped, lambda _: "")


_REWRITES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    # 1OOK, 5.OOO: the letter O written for a zero after a digit
    (
        re.compile(r"(?<=\d)[oO]+(?=[\dkK]|\b)|(?<=\d[.,])[oO]{3}\b"),
        lambda character: "0",
    ),
    # n.o.h.u: three or more pieces of at most two letters, split by the same sign
    (
        re.compile(
            rf"(?<![\w./]){_LETTER}{{1,2}}(?P<by>{_SEPARATOR}){_LETTER}{{1,2}}"
            rf"(?:(?P=by){_LETTER}{{1,2}})+(?![\w/])"
        ),
        lambda character: "" if character in _SEPARATORS else character,
    ),
    # N/o h/u: two halved words side by side (one alone, as v/v or đ/c, is an abbreviation)
    (
        re.compile(rf"(?<![\w./]){_HALVED} {_HALVED}(?![\w/])"),
        lambda character: "" if character in _SEPARATORS else character,
    ),
    # n ổ h ũ: four or more single letters in a row
    (
        re.compile(rf"(?<!\w){_LETTER}(?: {_LETTER}){{3,}}(?!\w)"),
        lambda character: character.strip(),
    ),
)
