import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.messages import Example, example_from
from training.config import Waves

Write = Callable[..., Path]

RECORD: dict[str, Any] = {
    "id": "cg-1",
    "text": "Tai khoan VCB cua ban bi khoa, dang nhap vcb-mokhoa.top de mo lai",
    "label": "scam",
    "category": "bank_impersonation",
    "trick": "account-locked",
    "channel": "sms",
    "sender_type": "brandname",
    "register": "plain",
    "source": "written",
    "written_at": "2026-11-24",
    "wave": "w-1",
}


@pytest.fixture
def waves() -> Waves:
    return Waves(near_duplicate=0.6, shingle=3, permutations=64)


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """A record as the corpus holds it, with changes; a change to None leaves the field out."""

    def make(**changes: Any) -> dict[str, Any]:
        return {key: value for key, value in {**RECORD, **changes}.items() if value is not None}

    return make


@pytest.fixture
def example(record: Callable[..., dict[str, Any]]) -> Callable[..., Example]:
    return lambda **changes: example_from(record(**changes))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write records into a file as JSON Lines."""

    def write(name: str, *records: dict[str, Any]) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8"
        )
        return file

    return write
