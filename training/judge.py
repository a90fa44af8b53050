"""Judge an exported model as it will serve: calibrate, evaluate, pass the gate, write the manifest.

Every score here comes from the int8 model through the classifier that serves, so what the manifest
promises is what a client gets.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from scipy.special import softmax

from data.messages import SPLITS, Example
from data.taxonomy import taxonomy
from model.artifact import NGRAMS, ONNX, Gate, Manifest, read_manifest, write_manifest
from model.classifier import Classifier
from model.ngrams import Vocabulary
from model.reader import Reader
from model.tokenizer import Tokenizer
from model.verdict import Thresholds
from training.attacks import STRENGTHS
from training.bases import Base
from training.blend import blended_logits
from training.calibrate import are_scams, calibrate
from training.card import model_card
from training.config import Config
from training.coverage import coverage_risk
from training.dataset import Snapshot
from training.evaluate import Contender, answers, fit_with_threshold, report, rows_of, scam_scores
from training.export import agreement, load_blend
from training.gate import gate
from training.hardware import hardware
from training.metrics import Bootstrap, Floats
from training.robustness import alarms_of, withstood

EVALUATION = "evaluation.json"
_UNJUDGED = Gate(passed=False, reasons=("training was interrupted before the gate",))


@dataclass(frozen=True, slots=True)
class Run:
    """One training: where it works, on which base, data and configuration, and the stages' seconds."""

    folder: Path
    base: Base
    data: Snapshot
    config: Config
    seconds: dict[str, float]


def judge(run: Run, champion: Classifier | None) -> tuple[Manifest, dict[str, Any]]:
    """The manifest as written, and the report on the test split (also in ``evaluation.json``).

    A run that was judged against the same champion, or that is the champion, is not judged again.
    """
    folder = run.folder / "model"
    earlier = _judged_before(folder, champion)
    if earlier is not None:
        return earlier, json.loads((folder / EVALUATION).read_text("utf-8"))
    manifest = _calibrated(run, folder)
    classifier = Classifier.from_pretrained(folder)
    served = scam_scores(classifier, [example.conversation for example in run.data.splits.test])
    result = _report(run, served, manifest, champion)
    result |= _attacked(run, served, classifier)
    metrics = {
        "test": {"all": result["all"], "rows": result["rows"], "scams": result["scams"]},
        "champion": champion.manifest.version if champion else None,
        "data": _counts(run.data),
        "export": _agreement(run, served, folder, manifest),
        "making": {"hardware": hardware(), "parameters": _parameters(folder), "seconds": run.seconds},
    }
    decision = gate(result, run.config.gate)
    manifest = dataclasses.replace(manifest, metrics=metrics, gate=decision)
    (folder / EVALUATION).write_text(json.dumps(result, indent=1), encoding="utf-8")
    (folder / "README.md").write_text(model_card(manifest, result), encoding="utf-8")
    return write_manifest(folder, manifest), result


def _judged_before(folder: Path, champion: Classifier | None) -> Manifest | None:
    if not (folder / "manifest.json").exists():
        return None
    manifest = read_manifest(folder)
    version = champion.manifest.version if champion else None
    if not manifest.metrics or version not in (manifest.metrics["champion"], manifest.version):
        return None
    return manifest


def _calibrated(run: Run, folder: Path) -> Manifest:
    """A manifest with temperature and thresholds."""
    validation = run.data.splits.validation
    manifest = write_manifest(folder, _plain_manifest(run))
    probabilities = Classifier.from_pretrained(folder).predict_proba([e.conversation for e in validation])
    # logits up to a constant in each row, which the softmax does not see
    logits = np.log(np.clip(probabilities.astype(np.float64), 1e-12, 1))
    found = calibrate(logits, [e.category for e in validation], run.config.calibrate)
    return write_manifest(
        folder,
        dataclasses.replace(
            manifest, temperature=found.temperature, thresholds=Thresholds(found.scam, found.unsure)
        ),
    )


def _plain_manifest(run: Run) -> Manifest:
    now = datetime.now(UTC)
    return Manifest(
        version=f"{run.base.slug}-{now:%Y%m%dT%H%M%S}-{run.data.fingerprint[:8]}",
        created_at=now.isoformat(timespec="seconds"),
        base=run.base.name,
        view=run.base.view,
        max_tokens=run.base.max_tokens,
        categories=taxonomy().ids,
        temperature=1.0,
        thresholds=Thresholds(scam=0.5, unsure=0.5),
        data_fingerprint=run.data.fingerprint,
        gate=_UNJUDGED,
    )


def _agreement(run: Run, served: Floats, folder: Path, manifest: Manifest) -> dict[str, Any]:
    """How the served int8 follows the trained fp32, on the test split."""
    test = run.data.splits.test
    vocabulary = Vocabulary.load(folder / NGRAMS)
    reader = Reader(Tokenizer.from_folder(folder), vocabulary, run.base.view, run.base.max_tokens)
    logits = blended_logits(
        load_blend(run.folder), [reader.inputs_of(example.conversation) for example in test]
    )
    exact = softmax(logits / manifest.temperature, axis=1)[:, are_scams(taxonomy().ids)].sum(axis=1)
    size = sum((folder / file).stat().st_size for file in (ONNX, NGRAMS)) / 1e6
    found = agreement(exact, served, answers(test), manifest.thresholds.scam)
    return {"messages": len(test), "megabytes": round(size, 1), **found}


def _report(run: Run, served: Floats, manifest: Manifest, champion: Classifier | None) -> dict[str, Any]:
    splits = run.data.splits
    conversations = [example.conversation for example in splits.test]
    baseline, threshold = fit_with_threshold(splits.train, splits.validation, run.config)
    contenders = [
        Contender("model", served, manifest.thresholds.scam),
        Contender("baseline", baseline.predict_proba(conversations), threshold),
    ]
    if champion is not None:
        limit = champion.manifest.thresholds.scam
        contenders.append(Contender("champion", scam_scores(champion, conversations), limit))
    bootstrap = Bootstrap(run.config.evaluate.resamples, run.config.seed)
    return report(rows_of(splits.test), contenders, bootstrap)


def _attacked(run: Run, served: Floats, classifier: Classifier) -> dict[str, Any]:
    """What the unsure band buys, and how the model stands attacks of medium strength."""
    rows = rows_of(run.data.splits.test)
    medium = {"medium": STRENGTHS["medium"]}
    return {
        "coverage": coverage_risk(served, answers(rows), classifier.manifest.thresholds),
        "attacks": withstood(rows, alarms_of(classifier), strengths=medium, seed=run.config.seed),
    }


def _counts(data: Snapshot) -> dict[str, Any]:
    parts: dict[str, Sequence[Example]] = {name: getattr(data.splits, name) for name in SPLITS}
    labels = sum(example.source == "label" for part in parts.values() for example in part)
    counted = {
        name: {
            "messages": len(part),
            "scams": int(answers(part).sum()),
            "waves": len({example.wave for example in part}),
        }
        for name, part in parts.items()
    }
    return {"parts": counted, "labels": labels}


def _parameters(folder: Path) -> int:
    with safe_open(folder / "model.safetensors", framework="np") as file:
        return sum(int(np.prod(file.get_slice(name).get_shape())) for name in file.keys())  # noqa: SIM118
