"""Shortcut audit: whether the label can be told from the surface alone, without reading.

A corpus in which scams have links and legitimate messages have none teaches a model to look for
links. For each surface feature alone, and for each word alone, this measures how well it ranks
scams: ROC-AUC, taken as at least 0.5 because a sign of legitimacy is as much a shortcut
(artifacts in this sense: Gururangan et al. 2018, *Annotation Artifacts in NLI Data*).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from data.messages import CHANNELS, SENDER_TYPES, Example
from data.plain import plain
from model.entities import find_entities
from model.normalize import fold, normalize

#: The highest ROC-AUC that a surface feature may have alone.
SURFACE_LIMIT = 0.65
#: A word above this must be explained in ``EXPLAINED``.
WORD_LIMIT = 0.75
EXPLAINED: dict[str, str] = {}
#: Words in fewer messages than this are not looked at.
RARE = 20

#: Words of scams that legitimate messages use as well, folded; see ``triggers``.
TRIGGERS = (
    "bam vao", "bi khoa", "chuc mung", "chuyen khoan", "chuyen tien", "cap nhat", "cong an", "dang ky",
    "dang nhap", "dau tu", "dieu kien", "gap", "giai ngan", "han muc", "het han", "ho tro", "lam viec",
    "lai suat", "lien he", "mat khau", "mien phi", "nhan qua", "nhan tien", "nop phat", "otp", "phi",
    "qua han", "so du", "sinh trac hoc", "tai khoan", "telegram", "trung thuong", "truy cap", "trong ngay",
    "tuyen dung", "uu dai", "vay", "vneid", "xac minh", "xac thuc", "zalo",
)  # fmt: skip
#: Of the messages with a trigger, each class's share (by rate within the class) is at least this.
TRIGGER_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A feature alone: its ROC-AUC against the label, in [0.5, 1], and what it is a sign of."""

    name: str
    auc: float
    sign: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger word: in how many scams and legitimate messages, and the rarer class's share."""

    word: str
    scams: int
    legitimate: int
    share: float


def has_url(text: str) -> bool:
    """Whether a text holds a web address, with or without its scheme."""
    return any(entity.type == "url" for entity in find_entities(normalize(text).text))


def has_diacritics(text: str) -> bool:
    """Whether any letter bears a mark."""
    return fold(text) != text.lower()


def diacritics_share(text: str) -> float:
    """Share of the letters that bear a Vietnamese mark (also đ), in [0, 1]."""
    return _share(text, lambda c: c in "đĐ" or len(unicodedata.normalize("NFD", c)) > 1, str.isalpha)


def _share(text: str, counted: Callable[[str], bool], among: Callable[[str], bool] = bool) -> float:
    whole = [character for character in text if among(character)]
    return sum(map(counted, whole)) / len(whole) if whole else 0.0


#: Every surface feature: a number for a text.
SURFACE: dict[str, Callable[[str], float]] = {
    "URL present": has_url,
    "length": len,
    "diacritics share": diacritics_share,
    "digit share": lambda text: _share(text, str.isdigit),
    "upper-case share": lambda text: _share(text, str.isupper, str.isalpha),
    "punctuation share": lambda text: _share(text, lambda c: unicodedata.category(c)[0] in "PS"),
    "line breaks": lambda text: text.count("\n"),
}


def surface_shortcuts(examples: Sequence[Example]) -> list[Shortcut]:
    """Every surface feature, sender type, channel and shape alone, the strongest first."""
    texts = ["\n".join(m.text for m in e.conversation.messages if m.role == "sender") for e in examples]
    features = {name: np.array([measure(text) for text in texts]) for name, measure in SURFACE.items()}
    for sender in SENDER_TYPES:
        features[f"sender {sender}"] = np.array([e.sender_type == sender for e in examples])
    for channel in CHANNELS:
        features[f"channel {channel}"] = np.array([e.conversation.channel == channel for e in examples])
    features["conversation"] = np.array([len(e.conversation.messages) > 1 for e in examples])
    scam = _scam(examples)
    return _ranked(_shortcut(name, float(roc_auc_score(scam, v))) for name, v in features.items())


def word_shortcuts(examples: Sequence[Example]) -> list[Shortcut]:
    """Every word alone that is not rare, the strongest first."""
    scam = _scam(examples)
    found = (Counter[str](), Counter[str]())
    for example, is_scam in zip(examples, scam, strict=True):
        found[int(is_scam)].update(set(re.findall(r"[a-z]+", plain(example.conversation.text).text)))
    legitimate, scams = found
    words = [word for word in legitimate | scams if legitimate[word] + scams[word] >= RARE]
    hits, negatives = int(scam.sum()), int((~scam).sum())
    # the ROC curve of a yes-or-no feature has one corner
    aucs = {word: 0.5 + (scams[word] / hits - legitimate[word] / negatives) / 2 for word in words}
    return _ranked(_shortcut(word, auc) for word, auc in aucs.items())


def triggers(examples: Sequence[Example]) -> list[Trigger]:
    """How each trigger word divides between the classes, the most one-sided first."""
    scam = _scam(examples)
    texts = [f" {' '.join(re.findall(r'[a-z0-9]+', plain(e.conversation.text).text))} " for e in examples]
    result = []
    for word in TRIGGERS:
        has = np.array([f" {word} " in text for text in texts])
        rates = has[scam].mean(), has[~scam].mean()
        share = min(rates) / sum(rates) if sum(rates) else 0.0
        result.append(Trigger(word, int(has[scam].sum()), int(has[~scam].sum()), float(share)))
    return sorted(result, key=lambda trigger: trigger.share)


def _scam(examples: Sequence[Example]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([example.label == "scam" for example in examples], dtype=np.bool_)


def _shortcut(name: str, auc: float) -> Shortcut:
    return Shortcut(name, max(auc, 1 - auc), "scam" if auc >= 0.5 else "legitimate")


def _ranked(shortcuts: Iterable[Shortcut]) -> list[Shortcut]:
    return sorted(shortcuts, key=lambda shortcut: -shortcut.auc)
