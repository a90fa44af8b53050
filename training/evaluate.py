"""How good a model is, on messages it never saw, with the baseline beside it.

Every number comes with its 95 % interval, per category and per slice: an average over easy messages
says nothing about the ones that cost people their savings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.corpus import FOLDER, load
from data.errors import BadData, BadMessage, BadRecord
from data.messages import Conversation, Example, conversation_from, numbered_lines, parse_record
from data.splits import split_by_wave
from data.taxonomy import LABELS, Label
from data.tricks import held_out
from data.waves import wave_key
from model.classifier import Classifier
from model.verdict import scam_score
from training.baseline import Baseline, fit_baseline
from training.calibrate import find_thresholds
from training.config import Config, read_config
from training.corpus.shortcuts import has_diacritics, has_url
from training.dataset import merge_waves
from training.metrics import Bools, Bootstrap, Floats, Measured, measure
from training.tables import print_report


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a test set; ``kind`` is its category, or whatever code its file gives it."""

    conversation: Conversation
    label: Label
    kind: str
    wave: str
    trick: str | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A model's scores for the rows, and the score from which it says scam."""

    name: str
    scores: Floats
    threshold: float


def report(rows: Sequence[Row], contenders: Sequence[Contender], bootstrap: Bootstrap) -> dict[str, Any]:
    """Every number of every contender: of ``all`` rows, of each of the ``slices`` and ``kinds``.

    ``{"rows", "scams", "waves", "all": {name: measured}, "slices": [{"slice", "rows", "scams", name:
    measured}], "kinds": [{"kind", "label", "rows", name: measured}]}``, where ``measured`` is
    ``training.metrics.measure``. The recall of a scam kind and the false-alarm rate of a legitimate
    kind are the numbers to read there.
    """
    scam = answers(rows)

    def measured(chosen: Bools) -> dict[str, Measured]:
        waves = [row.wave for row, inside in zip(rows, chosen, strict=True) if inside]
        return {
            c.name: measure(c.scores[chosen], scam[chosen], waves, c.threshold, bootstrap)
            for c in contenders
        }

    slices = [
        {"slice": name, "rows": int(chosen.sum()), "scams": int((chosen & scam).sum()), **measured(chosen)}
        for name, chosen in slices_of(rows)
    ]
    kinds = [
        {"kind": kind, "label": label, "rows": int(chosen.sum()), **measured(chosen)}
        for kind, label, chosen in _kinds_of(rows)
    ]
    counts = {"rows": len(rows), "scams": int(scam.sum()), "waves": len({row.wave for row in rows})}
    return {**counts, "all": measured(np.ones(len(rows), dtype=np.bool_)), "slices": slices, "kinds": kinds}


def evaluate_file(
    path: Path,
    model_folder: Path,
    *,
    corpus: Path = FOLDER,
    config: Config | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """The report on a file of labelled messages, printed as tables; the model at its shipped thresholds.

    The file is JSON Lines with ``text`` or ``messages``, ``label``, and where known ``code`` or
    ``category`` and ``wave``. The baseline is trained on the corpus' training split as it is now.
    Raises ``BadRecord`` at the first line that is not one, ``BadData`` when there is none.
    """
    config = config or read_config()
    rows = read_rows(path)
    classifier = Classifier.from_pretrained(model_folder)
    baseline, threshold = fit_on_corpus(load(corpus), config)
    conversations = [row.conversation for row in rows]
    contenders = (
        Contender("model", scam_scores(classifier, conversations), classifier.manifest.thresholds.scam),
        Contender("baseline", baseline.predict_proba(conversations), threshold),
    )
    result = report(rows, contenders, Bootstrap(config.evaluate.resamples, config.seed))
    print_report(result, title=f"{path.name}, {classifier.manifest.version}", console=console or Console())
    return result


def scam_scores(classifier: Classifier, conversations: Sequence[Conversation]) -> Floats:
    """The served scam score of each conversation, shape (n,)."""
    categories = classifier.manifest.categories
    rows = classifier.predict_proba(conversations)
    return np.array([scam_score(row, categories) for row in rows], dtype=np.float64)


def fit_on_corpus(corpus: Sequence[Example], config: Config) -> tuple[Baseline, float]:
    """The baseline on the corpus' training split, and its threshold from the validation split."""
    splits = split_by_wave(merge_waves(corpus, config.waves), seed=config.seed)
    return fit_with_threshold(splits.train, splits.validation, config)


def fit_with_threshold(
    train: Sequence[Example], validation: Sequence[Example], config: Config
) -> tuple[Baseline, float]:
    """A fitted baseline and its threshold, chosen by the rule that the model's is chosen by."""
    baseline = fit_baseline(train)
    scores = baseline.predict_proba([example.conversation for example in validation])
    return baseline, find_thresholds(scores, [e.category for e in validation], config.calibrate)[0]


def rows_of(examples: Sequence[Example]) -> list[Row]:
    """Examples as rows to evaluate on."""
    return [Row(e.conversation, e.label, e.category, e.wave, e.trick) for e in examples]


def read_rows(path: Path) -> list[Row]:
    """The labelled messages of a JSON Lines file; ``BadRecord`` with file and line of a bad one."""
    rows = [_row(line, path.name, number) for number, line in numbered_lines(path)]
    if not rows:
        raise BadData(f"{path}: holds no message; write one JSON object a line")
    return rows


def answers(rows: Sequence[Row] | Sequence[Example]) -> Bools:
    """Whether each row is a scam, as booleans."""
    return np.array([row.label == "scam" for row in rows], dtype=np.bool_)


def slices_of(rows: Sequence[Row]) -> Iterator[tuple[str, Bools]]:
    """The named parts of a test set that hold any row."""
    conversations = [row.conversation for row in rows]
    marks = np.array([has_diacritics(c.text) for c in conversations], dtype=np.bool_)
    urls = np.array([has_url(c.text) for c in conversations], dtype=np.bool_)
    turns = np.array([len(c.messages) > 1 for c in conversations], dtype=np.bool_)
    sms, chat = (np.array([c.channel == name for c in conversations], bool) for name in ("sms", "chat"))
    parts = {"diacritics": marks, "no diacritics": ~marks, "URL": urls, "no URL": ~urls}
    unseen = np.array([row.trick in held_out() for row in rows], dtype=np.bool_)
    parts |= {
        "SMS": sms,
        "chat": chat,
        "one message": ~turns,
        "conversation": turns,
        "unseen trick": unseen,
    }
    return ((name, chosen) for name, chosen in parts.items() if chosen.any())


def _kinds_of(rows: Sequence[Row]) -> Iterator[tuple[str, Label, Bools]]:
    for label, kind in sorted({(row.label, row.kind) for row in rows}, reverse=True):
        yield (
            kind,
            label,
            np.array([(row.label, row.kind) == (label, kind) for row in rows], dtype=np.bool_),
        )


def _row(line: str, source: str, number: int) -> Row:
    record = parse_record(line, source, number)
    try:
        conversation = conversation_from(record).checked()
    except BadMessage as error:
        raise BadRecord(source, number, str(error)) from error
    if record.get("label") not in LABELS:
        raise BadRecord(source, number, "label must be scam or legitimate")
    kind = record.get("code") or record.get("category") or "no code"
    wave = str(record.get("wave") or wave_key(conversation))
    return Row(conversation, record["label"], str(kind), wave, record.get("trick"))
