"""How to train: ``config.toml`` as frozen dataclasses. No defaults hide in the code.

>>> read_config().calibrate.false_alarms
0.005
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from data.errors import BadData
from data.taxonomy import taxonomy

FILE = Path(__file__).with_name("config.toml")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waves:
    """Which messages are near-duplicates."""

    near_duplicate: float
    shingle: int
    permutations: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """What depends on the size of the base."""

    epochs: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Finetune:
    """What every base shares."""

    batch_size: int
    warmup: float
    weight_decay: float
    dropout: float
    category_weight_power: float
    label_weight: float
    variants: int
    checkpoint_every: int


@dataclass(frozen=True, slots=True)
class Linear:
    """The linear half: variants of each message to learn from, and the inverse of its regularization."""

    variants: int
    c: float


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Shares of false alarms that the thresholds may give, and how a phone's messages are mixed."""

    false_alarms: float
    unsure_false_alarms: float
    phone: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """How sure the numbers are."""

    resamples: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Recall at 0.5 % false alarms, ROC-AUC, and the false-alarm rate on each heavy kind."""

    recall: float
    roc_auc: float
    false_alarms: float


@dataclass(frozen=True, slots=True)
class Gate:
    """What a challenger must hold: a tolerance against the champion, or floors without one."""

    heavy: tuple[str, ...]
    tolerance: Limits
    floor: Limits


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file; ``text`` is the file itself, as it goes into the model folder."""

    seed: int
    waves: Waves
    compact: Schedule
    large: Schedule
    finetune: Finetune
    linear: Linear
    calibrate: Calibrate
    evaluate: Evaluate
    gate: Gate
    text: str


def read_config(file: Path = FILE) -> Config:
    """The configuration in a file; ``BadData`` names every missing, unknown or mistyped key."""
    try:
        text = file.read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{file}: cannot be read as TOML ({error}); compare with {FILE}") from error
    config = _build(Config, {**table, "text": text}, str(file), "")
    kinds = {category.id for category in taxonomy().categories if category.label == "legitimate"}
    phone = config.calibrate.phone
    if set(phone) != kinds or min(phone.values()) <= 0:
        raise BadData(
            f"{file}: calibrate.phone needs a share above 0 for each of {', '.join(sorted(kinds))}"
        )
    return config


def _build(kind: type[T], table: dict[str, Any], file: str, prefix: str) -> T:
    hints = get_type_hints(kind)
    wrong = [f"{prefix}{key} is missing" for key in hints if key not in table]
    wrong += [f"{prefix}{key} is unknown" for key in table if key not in hints]
    if wrong:
        raise BadData(f"{file}: {', '.join(wrong)}; compare with {FILE}")
    return kind(**{key: _value(hint, table[key], file, prefix + key) for key, hint in hints.items()})


def _value(hint: Any, value: Any, file: str, key: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _build(hint, value, file, f"{key}.")  # type: ignore[arg-type]
    if hint is float and type(value) in (int, float):
        return float(value)
    if hint == tuple[str, ...] and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if hint == dict[str, float] and isinstance(value, dict):
        return {name: _value(float, share, file, f"{key}.{name}") for name, share in value.items()}
    if type(value) is not hint:
        raise BadData(f"{file}: {key} may not be a {type(value).__name__}; compare with {FILE}")
    return value
