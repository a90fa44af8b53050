"""The model card: what a model is for, what it is not for, and its numbers, from the manifest.

Sections follow Mitchell et al. 2019, *Model Cards for Model Reporting*. Generated, so that it
cannot say anything else than what was measured.
"""

from typing import Any

from model.artifact import Manifest
from training.robustness import outcome_cells
from training.tables import kinds, markdown, overview, slices

_COMPACT_LICENCE = (
    "The base was pretrained from nothing on articles of the Vietnamese Wikipedia (2017), by its "
    "contributors, [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/)."
)
_OTHER_LICENCE = (
    "The base is `{base}` and brings its own licence: `vinai/phobert-base` is MIT, "
    "`vinai/phobert-base-v2` is AGPL-3.0."
)


def model_card(manifest: Manifest, report: dict[str, Any]) -> str:
    """The README.md of a model folder; ``report`` is that of the test split."""
    gate = "passed" if manifest.gate.passed else f"**failed**: {'; '.join(manifest.gate.reasons)}"
    return f"""---
language: vi
license: apache-2.0
pipeline_tag: text-classification
tags: [scam-detection, sms, vietnamese]
---

# Cảnh Giác {manifest.version}

Says how probable it is that a Vietnamese SMS or chat is a scam, and which of
{len(manifest.categories)} categories it is. An encoder reads the meaning, n-grams read the spelling; both
are one network with one probability. Made {manifest.created_at} by `canhgiac train`; gate {gate}.

## Intended use

To help police officers sort reported messages and to warn citizens, with a person deciding. A score of
at least {manifest.thresholds.scam} is called *scam*, at least {manifest.thresholds.unsure} *unsure*,
anything else *legitimate*, which means that no sign of a scam was found and never that a message is safe.
Not for blocking messages unseen, not as evidence against anybody, not for other languages.

## Limits

- It reads text alone, at most {manifest.max_tokens} tokens of it; it opens no link and does not
  know who sent it.
- Scams change: what officers label later is what it must be trained on next.
- The test messages come from the same hands as the training messages. Messages from elsewhere are
  harder; measure on them with `canhgiac evaluate --data FILE` before relying on a number below.

## Data

{_data(manifest)}

## Numbers

On the test split: {report["rows"]} messages, {report["scams"]} of them scams, in {report["waves"]}
waves that the model never saw. Intervals are bootstrap 95 % over waves. The baseline is TF-IDF
with a logistic regression; both alarm from thresholds chosen on the validation split.

{markdown(overview(report))}

### Slices

{markdown(slices(report))}

### Scam categories: recall

{markdown(kinds(report, "scam"))}

### Legitimate categories: false-alarm rate

{markdown(kinds(report, "legitimate"))}

### Unsure

{_coverage(report["coverage"])}

### Attacks

Each rewrites about a third of a message's words (`canhgiac attack`). Recall before any attack:
{report["attacks"]["recall"]:.3f}.

{markdown(outcome_cells(report["attacks"]))}

## Making

{_making(manifest)}

## Licence

Code and weights: Apache-2.0. Written corpus: CC BY 4.0, the authors of Cảnh Giác.
{_COMPACT_LICENCE if manifest.base == "compact" else _OTHER_LICENCE.format(base=manifest.base)}
"""


def _data(manifest: Manifest) -> str:
    counts = manifest.metrics["data"]
    lines = [
        f"- {name}: {part['messages']} messages ({part['scams']} scams) in {part['waves']} waves"
        for name, part in counts["parts"].items()
    ]
    lines.append(f"- of these labelled by officers: {counts['labels']}")
    lines.append(f"- fingerprint: `{manifest.data_fingerprint}`")
    return "\n".join(lines)


def _coverage(found: dict[str, Any]) -> str:
    rows = [["answered, the surest first", "wrong"]]
    rows += [[f"{share:.0%}", f"{risk:.2%}"] for share, risk in found["curve"]]
    return f"""{found["unsure"]:.1%} of the messages are called *unsure*: {found["unsure_scams"]:.1%} of the
scams, {found["unsure_legitimate"]:.1%} of the legitimate ones. Of the other verdicts {found["risk"]:.2%}
are wrong.

{markdown(rows)}"""


def _making(manifest: Manifest) -> str:
    made, export = manifest.metrics["making"], manifest.metrics["export"]
    stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in made["seconds"].items())
    return f"""- base `{manifest.base}`, {made["parameters"]:,} parameters, `{manifest.view}` view
- how: `training.toml`; on {made["hardware"]}: {stages}
- temperature {manifest.temperature}; network (int8 ONNX) and n-grams are {export["megabytes"]} MB
- int8 against fp32, on the {export["messages"]} test messages: {export["same_verdict"]:.2%} get the same
  verdict, recall falls by {export["recall_lost"]:.4f}, scores differ by {export["mean_difference"]} on
  average and {export["largest_difference"]} at most"""
