"""From the corpus and the officers' labels to a model folder: the whole training, in one call.

snapshot -> linear -> fine-tune -> blend -> export -> calibrate -> evaluate -> gate -> model folder.
Each finished stage leaves its result in the run's folder; an interrupted run goes on where it stopped.
"""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import transformers
from rich.console import Console

from data.corpus import FOLDER, load
from data.errors import BadData, GateFailed, ModelFolderError
from data.messages import Example
from model.artifact import MANIFEST, open_model_folder, replace_text
from model.classifier import Classifier
from model.normalize import NORMALIZER_VERSION
from model.reader import Reader
from model.tokenizer import Tokenizer
from training.bases import Base, base_digest, find_base
from training.blend import encoder_log_odds, fit_weights
from training.config import Config
from training.dataset import Snapshot, snapshot
from training.evaluate import answers
from training.export import FINETUNED, LINEAR, WEIGHTS, export, load_encoder
from training.finetune import finetune
from training.judge import Run, judge
from training.linear import LinearModel, fit_linear
from training.tables import print_report


def train(  # noqa: PLR0913
    config: Config,
    *,
    base: str,
    state_dir: Path,
    champion: Path | None,
    labels: Sequence[Example] = (),
    output: Path | None = None,
    corpus: Path = FOLDER,
    console: Console | None = None,
) -> Path:
    """A verified model folder that passed the gate: ``output``, or ``model`` in the run's folder.

    ``base`` is ``compact``, a local folder or a model of the Hugging Face hub; ``champion`` the model
    folder that serves, against which the gate holds the new one.

    Raises ``GateFailed`` naming each number that fell and the run's ``model``, where the failed one
    stays: ``output`` is left as it was. ``BaseModelNotFound``; ``BadData``, also, before any work, when
    ``output`` holds something other than a model or the champion.
    """
    if output is not None:
        _check_output(output, champion)
    console = console or Console()
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    found = find_base(base)
    data = snapshot(load(corpus), labels, waves=config.waves, seed=config.seed, state_dir=state_dir)
    folder = state_dir / "runs" / run_name(data, found, config)
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"snapshot {data.folder}\nrun {folder}")
    parts = data.splits
    stages: dict[str, Callable[[], object]] = {
        "linear": lambda: fit_linear(parts.train, config).save(folder / LINEAR),
        "finetune": lambda: finetune(parts.train, found, config, run=folder),
        "blend": lambda: _blend(folder, found, parts.validation),
        "export": lambda: _export(folder, config),
    }
    seconds = {name: _stage(folder, name, action, console) for name, action in stages.items()}
    manifest, report = judge(Run(folder, found, data, config, seconds), _champion(champion, console))
    print_report(report, title=f"test split, {manifest.version}", console=console)
    model = folder / "model"
    if not manifest.gate.passed:
        reasons = "; ".join(manifest.gate.reasons)
        raise GateFailed(f"{reasons}; the serving model stays, the new one lies in {model}")
    return _delivered(model, output)


def run_name(data: Snapshot, base: Base, config: Config) -> str:
    """The run's folder: data fingerprint, base, seed, and a digest of all else that a stage depends on."""
    read = f"{config.text}\n{base_digest(base)}\n{NORMALIZER_VERSION}"
    digest = hashlib.sha256(read.encode()).hexdigest()
    return f"{data.fingerprint[:12]}-{base.slug}-{config.seed}-{digest[:8]}"


def _blend(folder: Path, base: Base, validation: Sequence[Example]) -> None:
    """Weigh encoder and linear model on the validation split."""
    linear = LinearModel.load(folder / LINEAR)
    tokenizer = Tokenizer.from_folder(folder / FINETUNED)
    reader = Reader(tokenizer, linear.vocabulary, base.view, base.max_tokens)
    conversations = [example.conversation for example in validation]
    encoder = encoder_log_odds(load_encoder(folder), [reader.inputs_of(one) for one in conversations])
    fit_weights(encoder, linear.log_odds(conversations), answers(validation)).save(folder / WEIGHTS)


def _export(folder: Path, config: Config) -> None:
    shutil.rmtree(folder / "model", ignore_errors=True)
    export(folder, folder / "model")
    (folder / "model" / "training.toml").write_text(config.text, encoding="utf-8")


def _stage(folder: Path, name: str, action: Callable[[], object], console: Console) -> float:
    """Seconds the stage took; does nothing when it was finished before."""
    done = folder / f"{name}.done"
    if done.exists():
        console.print(f"{name}: done before")
    else:
        console.print(f"{name} ...")
        started = monotonic()
        action()
        replace_text(done, f"{monotonic() - started:.1f}")
    return float(done.read_text("utf-8"))


def _champion(folder: Path | None, console: Console) -> Classifier | None:
    """The serving model; none when there is no folder, or when it no longer fits this version."""
    if folder is None or not folder.exists():
        return None
    try:
        return Classifier.from_pretrained(folder)
    except ModelFolderError as error:
        console.print(f"no champion to compare with: {error}")
        return None


def _check_output(output: Path, champion: Path | None) -> None:
    """Nothing, when ``output`` is free or a model folder that does not serve; ``BadData`` otherwise."""
    serving = champion.resolve() if champion and (champion / MANIFEST).exists() else None
    if serving and output.resolve().is_relative_to(serving):
        raise BadData(f"{output}: the model that serves lies there; name another folder")
    free = not output.exists() or (output.is_dir() and not any(output.iterdir()))
    if not free and not (output / MANIFEST).is_file():
        raise BadData(f"{output}: is there and is no model folder; name a new or empty folder")


def _delivered(model: Path, output: Path | None) -> Path:
    """The model folder, copied to ``output`` when one was asked for; other files there are kept out."""
    if output is None:
        return model
    files = open_model_folder(model).manifest.files
    beside = output.with_name(f"{output.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    for name in (*files, MANIFEST):
        (beside / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / name, beside / name)
    shutil.rmtree(output, ignore_errors=True)
    beside.rename(output)
    return output
