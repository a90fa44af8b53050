"""The corpus as pictures: where people would rather look than read tables."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # files only, also where there is no screen

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from data.messages import Example
from data.taxonomy import LABELS
from training.corpus.shortcuts import SURFACE_LIMIT, surface_shortcuts
from training.corpus.stats import counts, least_of

COLOURS = {"scam": "#c0392b", "legitimate": "#2874a6"}


def plot(examples: Sequence[Example], folder: Path) -> list[Path]:
    """Write ``categories.png``, ``lengths.png`` and ``shortcuts.png`` into the folder, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {"categories": _categories, "lengths": _lengths, "shortcuts": _shortcuts}
    files = []
    for name, draw in drawings.items():
        figure, axes = plt.subplots(figsize=(9, 8 if name == "categories" else 5), layout="constrained")
        draw(examples, axes)
        axes.spines[["top", "right"]].set_visible(False)
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=120)
        plt.close(figure)
    return files


def _categories(examples: Sequence[Example], axes: Axes) -> None:
    rows = sorted(counts(examples, lambda e: e.category), key=lambda row: (row[1] == 0, row[1] + row[2]))
    names = [name for name, _, _ in rows]
    labels = ["scam" if scams else "legitimate" for _, scams, _ in rows]
    axes.barh(names, [scams + rest for _, scams, rest in rows], color=[COLOURS[label] for label in labels])
    least = [least_of(name) for name in names]
    axes.scatter(least, names, marker="|", s=120, color="black", label="at least")
    axes.set(title="Messages of each category", xlabel="messages")
    axes.margins(y=0.01)
    axes.legend(frameon=False, loc="lower right")


def _lengths(examples: Sequence[Example], axes: Axes) -> None:
    for label in LABELS:
        sms = [e for e in examples if e.label == label and e.conversation.channel == "sms"]
        lengths = [min(len(e.conversation.text), 800) for e in sms]
        axes.hist(
            lengths,
            bins=40,
            range=(0, 800),
            density=True,
            histtype="step",
            linewidth=2,
            color=COLOURS[label],
            label=label,
        )
    axes.set(title="Length of SMS", xlabel="characters (longer ones at 800)", ylabel="share")
    axes.set_yticks([])
    axes.legend(frameon=False)


def _shortcuts(examples: Sequence[Example], axes: Axes) -> None:
    found = surface_shortcuts(examples)[::-1]
    axes.barh([s.name for s in found], [s.auc for s in found], color=[COLOURS[s.sign] for s in found])
    axes.axvline(SURFACE_LIMIT, color="black", linestyle="--", label="limit")
    axes.set(title="What the surface alone tells", xlabel="ROC-AUC (0.5: nothing)", xlim=(0.5, 0.7))
    axes.legend(frameon=False, loc="lower right")
