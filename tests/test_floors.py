"""The house has floors; nothing goes up-stairs. Standard library only, so that it runs anywhere."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

OURS = {"data", "model", "training", "serving"}
MAY_IMPORT = {
    "data": {"data"},
    "model": {"model", "data"},
    "training": {"training", "model", "data"},
    "serving": {"serving", "model", "data"},
}
MODEL_ONLY = {"numpy", "onnxruntime", "tokenizers", "tldextract", "phonenumbers", "underthesea", "pyarrow"}
LEARNING = {"torch", "transformers", "datasets", "sklearn", "datasketch", "accelerate", "onnx"}
WEB = {"fastapi", "starlette", "uvicorn", "pydantic_settings", "prometheus_client", "mimeparse"}
NEVER = {
    "data": MODEL_ONLY | LEARNING | WEB,
    "model": LEARNING | WEB,
    "training": WEB,
    "serving": LEARNING | {"underthesea"},
}
MODULES = [path for floor in MAY_IMPORT for path in sorted((ROOT / floor).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """The first part of every name a module imports, at the top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_floor_may(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    names = set(imported(path))
    assert names & OURS <= MAY_IMPORT[floor]
    assert not names & NEVER[floor]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_named_like_the_standard_library_or_a_drawer_for_everything(path: Path) -> None:
    assert path.stem not in sys.stdlib_module_names - {"__init__"}
    assert path.stem not in {"utils", "helpers", "common", "core", "base", "manager", "handler", "process"}


def test_tests_are_no_package_or_they_would_shadow_the_floors() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
