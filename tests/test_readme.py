"""Documentation that cannot lie: what exists is in the README, and what is there exists."""

import re
from pathlib import Path

import pytest
import typer

from canhgiac import app as command
from data.taxonomy import taxonomy
from serving.app import create_app
from serving.metrics import Metrics
from serving.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def commands() -> list[str]:
    """Every command, as typed."""
    root = typer.main.get_command(command)
    names = []
    for name, entry in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(entry, "commands", None)
        names += [f"{name} {sub}" for sub in inner] if inner else [name]
    return names


@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`canhgiac {name}`" in README


def test_every_setting_is_in_the_readme() -> None:
    for name in Settings.model_fields:
        assert f"`CANHGIAC_{name.upper()}`" in README


def test_every_endpoint_is_in_the_readme_and_the_readme_names_no_other(tmp_path: Path) -> None:
    document = create_app(Settings(state_dir=tmp_path)).openapi()
    exists = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^` ]*)`", README))
    assert exists == named


def test_the_category_table_is_the_taxonomy() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (scam|legitimate) \| (.+?) \((.+?)\) \| (.+?) \|$", README, re.MULTILINE
    )
    assert rows == [(c.id, c.label, c.name_vi, c.name_en, c.definition) for c in taxonomy().categories]


def test_every_number_at_metrics_is_in_the_readme_and_the_readme_names_no_other() -> None:
    ours = {family.name for family in Metrics().registry.collect() if family.name.startswith("canhgiac_")}
    named = re.findall(r"`(canhgiac_\w+)`", README)
    assert {name.removesuffix("_total") for name in named} == ours


def test_every_make_target_has_a_help_line() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.MULTILINE), target


def test_every_link_to_a_file_leads_somewhere() -> None:
    for name in ("README.md", "README.vi.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text("utf-8")):
            assert (ROOT / target).exists(), target
