"""Every notebook runs from top to bottom on a small sample."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from data.corpus import load
from data.messages import record_of

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client's own dependencies
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_plots(path: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.jsonl"
    records = [
        {"label": e.label, "category": e.category, "wave": e.wave, **record_of(e.conversation)}
        for e in load()[::40]
    ]
    sample.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    environment = {
        **os.environ,
        "CANHGIAC_NOTEBOOK_DATA": str(sample),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": str(ROOT),
    }
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells)
