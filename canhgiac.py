"""The command: one program over all floors, each imported only when it runs."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from data.errors import BadData, CanhGiacError, MissingExtra

if TYPE_CHECKING:
    from data.queues import Item, Queue
    from data.review import ReviewItem
    from data.store import Store
    from model.classifier import Classifier

app = typer.Typer(
    name="canhgiac",
    help="Tells Vietnamese scam messages from legitimate ones, and learns from officers' labels.",
    no_args_is_help=True,
    add_completion=False,
)
keys_app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
webhooks_app = typer.Typer(help="Tell clients when a label changes a verdict.", no_args_is_help=True)
app.add_typer(webhooks_app, name="webhooks")
corpus_app = typer.Typer(help="The written corpus: add, check, count, describe.", no_args_is_help=True)
app.add_typer(corpus_app, name="corpus")

bench_app = typer.Typer(help="Measure, beside something to compare with.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")

out = Console(soft_wrap=True)
err = Console(stderr=True)

StateDir = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        envvar="CANHGIAC_STATE_DIR",
        help="Folder of the store, the first key, snapshots and models.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="CANHGIAC_DATABASE_URL",
        help="Database URL  [default: SQLite in the state folder]",
    ),
]
ModelDir = Annotated[
    Path | None,
    typer.Option(
        "--model",
        envvar="CANHGIAC_MODEL_DIR",
        help="A model folder  [default: the promoted model, else the shipped one]",
    ),
]
STATE_DIR = Path("var")

#: Packages of the training floor alone; any other that is missing comes with ``serve``.
TRAINING_PACKAGES = {
    "torch",
    "transformers",
    "datasets",
    "sklearn",
    "datasketch",
    "matplotlib",
    "accelerate",
}


def main() -> None:
    """Run the command; what went wrong is one sentence, and exit code 1."""
    try:
        app()
    except CanhGiacError as error:
        _fail(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        _fail(MissingExtra(package, "train" if package in TRAINING_PACKAGES else "serve"))


def _fail(error: CanhGiacError) -> None:
    _complain(f"canhgiac: {error}")
    sys.exit(1)


def _complain(sentence: str) -> None:
    err.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


@app.command()
def classify(
    text: Annotated[str | None, typer.Argument(help="The message; standard input if left out.")] = None,
    sender: Annotated[
        str | None, typer.Option(help="Brand name, short code or number it came from.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Say whether one message is a scam, why, and what to do. Exits 0 whatever the verdict."""
    from data.messages import Conversation
    from data.taxonomy import taxonomy
    from model.evidence import evidence
    from model.verdict import advice

    received = text if text is not None else sys.stdin.read().rstrip("\n")
    conversation = Conversation.from_text(received, sender=sender).checked()
    classifier = _classifier(model, state_dir)
    reading = classifier.read(conversation)
    prediction = classifier.predict_reading(reading)
    category = taxonomy()[prediction.category]
    found = evidence(classifier, reading, prediction)
    if as_json:
        answer = {
            "label": prediction.label,
            "score": round(prediction.score, 4),
            "verdict": prediction.verdict,
            "category": category.id,
            "evidence": [{"start": e.start, "end": e.end, "reason": e.reason} for e in found],
            "advice": advice(prediction.verdict, category.id),
            "truncated": prediction.truncated,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    out.print(f"{VERDICTS[prediction.verdict]} · {category.name_vi} · {prediction.score:.2f}")
    for e in found:
        out.print(f"  «{received[e.start : e.end]}»: {e.reason}", markup=False, highlight=False)
    out.print(advice(prediction.verdict, category.id), highlight=False)


VERDICTS = {
    "scam": "[bold red]LỪA ĐẢO[/]",
    "unsure": "[bold yellow]CHƯA RÕ, NÊN HỎI LẠI[/]",
    "legitimate": "[bold green]CHƯA PHÁT HIỆN DẤU HIỆU LỪA ĐẢO[/]",
}


@app.command()
def score(
    source: Annotated[Path, typer.Option("--input", help="CSV, JSON Lines or Parquet with a text column.")],
    target: Annotated[Path, typer.Option("--output", help="Where to write it, with the columns added.")],
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Classify every message of a file; adds id, label, score, verdict and category.

    A row that cannot be read is kept, with the reason in its error column; exits 1 only when none
    could be read.
    """
    from model.score import score_file

    classifier = _classifier(model, state_dir)
    with _progress("Scoring") as advance:
        counts = score_file(classifier, source, target, advance, threads=os.cpu_count() or 1)
    out.print(
        f"{counts.scored} scored, {counts.bad} bad of {counts.read} rows -> {target}", highlight=False
    )
    if not counts.scored:
        raise BadData(f"{source}: no row could be read; each row's error column says why")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Start the HTTP service; settings come from CANHGIAC_* (see README)."""
    from serving.run import run
    from serving.settings import settings_from_environment

    run(settings_from_environment(), host=host, port=port)


@app.command()
def label(
    server: Annotated[str, typer.Option(help="The service to label for.")] = "http://127.0.0.1:8000",
    key: Annotated[
        str | None,
        typer.Option(
            envvar="CANHGIAC_KEY", help="Key with scope label  [default: the state folder's first key]"
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Label this exported batch instead, without a network.")
    ] = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Label messages with the keyboard (in Vietnamese), from a server or an exported batch."""
    from data.keyboard import keyboard
    from data.label import Sitting

    if not sys.stdin.isatty():
        raise CanhGiacError("label needs a terminal with a keyboard; run it by hand")
    with closing(_queue(server, key, file, state_dir)) as queue, keyboard() as (read_key, read_line):
        answered, total = queue.progress()
        if answered:
            out.print(f"Đã có {answered}/{total} câu trả lời từ lần trước; làm tiếp.", highlight=False)
        Sitting(queue, Console(highlight=False), read_key, read_line).run()


def _queue(server: str, key: str | None, file: Path | None, state_dir: Path) -> "Queue":
    from data.queues import FileQueue, ServerQueue

    if file is not None:
        return FileQueue(file)
    first_key = state_dir / "api-key"
    if key is None and first_key.exists():
        key = first_key.read_text("utf-8").strip()
    if key is None:
        raise CanhGiacError(
            "no key; give --key or CANHGIAC_KEY (made by: canhgiac keys create --scope label)"
        )
    return ServerQueue.connect(server, key)


@app.command()
def train(
    base: Annotated[
        str,
        typer.Option(
            envvar="BASE", help="compact, a hub name such as vinai/phobert-base, or a local folder."
        ),
    ] = "compact",
    config: Annotated[
        Path | None, typer.Option(help="How to train  [default: training/config.toml of this version]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the model folder here  [default: in the state folder's runs/]"),
    ] = None,
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Train on corpus and labels, evaluate, and keep the model only if it passes the gate."""
    from training.config import read_config
    from training.train import train as run

    champion = _model_folder(model, state_dir)
    with _open_store(state_dir, database) as store:
        labels = list(store.labelled())
    settings = read_config(config) if config else read_config()
    folder = run(settings, base=base, state_dir=state_dir, champion=champion, output=output, labels=labels)
    out.print(f"Passed the gate: {folder}\nServe it with: canhgiac promote {folder}", highlight=False)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option("--data", help="JSON Lines with text or messages, and label.")],
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Print how the model does on a labelled file, the linear baseline beside it."""
    from training.evaluate import evaluate_file

    evaluate_file(data, _model_folder(model, state_dir))


@app.command()
def attack(
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled JSON Lines  [default: the corpus' test split]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same attacks.")] = 0,
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Attack a labelled file as scammers do, and print what the model then misses or accuses."""
    from data.corpus import FOLDER
    from training.robustness import attack_file

    with _progress("attacking") as advance:
        attack_file(
            data or FOLDER / "test.jsonl",
            _model_folder(model, state_dir),
            seed=seed,
            on_progress=advance,
        )


@bench_app.command("model")
def bench_model(
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled JSON Lines  [default: the corpus' test split]")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of each.")] = 2,
    model: ModelDir = None,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Time `canhgiac score` beside an int8 network of PhoBERT-base's shape, on the same messages."""
    from data.corpus import FOLDER
    from training.bench import speeds

    found = speeds(data or FOLDER / "test.jsonl", _model_folder(model, state_dir), threads=threads)
    out.print(
        f"canhgiac score: {found.model:.0f} messages/s; PhoBERT-base's shape: {found.phobert:.0f} "
        f"messages/s; {found.ratio:.1f} times as fast, with {threads} threads each",
        highlight=False,
    )


@app.command()
def promote(
    folder: Annotated[Path, typer.Argument(help="A model folder that passed the gate.")],
    force: Annotated[bool, typer.Option(help="Promote a folder that failed the gate.")] = False,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Make a trained model the one that is served; a running service takes it over by itself."""
    from model.registry import promote as run

    out.print(f"Promoted: {run(state_dir, folder, force=force)}", highlight=False)


@app.command()
def rollback(state_dir: StateDir = STATE_DIR) -> None:
    """Serve again the model that was served before the newest promotion."""
    from model.registry import rollback as run

    out.print(f"Serving again: {run(state_dir)}", highlight=False)


@app.command()
def pretrain(
    text: Annotated[Path, typer.Option(help="Vietnamese text, one paragraph a line; plain or .xz.")],
    output: Annotated[
        Path, typer.Option(help="Where the base model goes; an interrupted run resumes there.")
    ],
    tokens: Annotated[int, typer.Option(help="How many tokens to read in all.")] = 40_000_000,
    start: Annotated[
        Path | None, typer.Option(help="A base of this shape to go on from, such as training/base.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and masking.")] = 0,
) -> None:
    """Pretrain the compact base model on raw text and the corpus (masked language modelling)."""
    from training.pretrain import pretrain as run

    run(text, output, tokens=tokens, start=start, seed=seed)


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Option(help="Who will use it: an app, a bank, an annotator's pseudonym.")],
    scope: Annotated[
        list[str],
        typer.Option(help="classify, feedback, label, filter, metrics or admin; repeat for several."),
    ],
    trainee: Annotated[
        bool, typer.Option("--trainee", help="Labels made with it never reach a dataset by themselves.")
    ] = False,
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Make a key and print it, this once: only its hash is stored."""
    from data.store import SCOPES

    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        raise BadData(f"unknown scope {', '.join(unknown)}; known: {', '.join(SCOPES)}")
    with _open_store(state_dir, database) as store:
        typer.echo(store.create_key(name, scope, confirmed=not trainee))  # type: ignore[arg-type]


@keys_app.command("list")
def keys_list(state_dir: StateDir = STATE_DIR, database: Database = None) -> None:
    """List the keys: names and scopes, never the keys themselves."""
    table = Table("name", "scopes", "made", "state")
    with _open_store(state_dir, database) as store:
        for key in store.keys():  # noqa: SIM118  # a store is no dict
            state = "revoked" if key.revoked_at else ("active" if key.confirmed else "trainee")
            table.add_row(
                escape(key.name), " ".join(sorted(key.scopes)), f"{key.created_at:%Y-%m-%d}", state
            )
    out.print(table)


@keys_app.command("revoke")
def keys_revoke(
    name: Annotated[str, typer.Argument(help="The key's name.")],
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Make a key useless; a running service knows within about a second."""
    with _open_store(state_dir, database) as store:
        store.revoke_key(name)
    out.print(f"Revoked: {name}", highlight=False)


@webhooks_app.command("add")
def webhooks_add(
    client: Annotated[str, typer.Option(help="The name of the client's key.")],
    url: Annotated[str, typer.Option(help="Where to send: https (http only to this machine).")],
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Tell a client of changed verdicts at this URL, and print the secret that its receiver checks.

    Given again it changes the URL; the secret stays, as it depends on CANHGIAC_WEBHOOK_SECRET and the
    client's name alone.
    """
    from serving.settings import settings_from_environment
    from serving.signing import client_secret, signing_key

    key = signing_key(settings_from_environment().webhook_secret)
    if key is None:
        raise CanhGiacError(
            "webhooks are off: set CANHGIAC_WEBHOOK_SECRET (such as: openssl rand -base64 32), the same "
            "for this command and for the service"
        )
    with _open_store(state_dir, database) as store:
        store.webhooks.add(client, url)
    typer.echo(client_secret(key, client))


@webhooks_app.command("list")
def webhooks_list(state_dir: StateDir = STATE_DIR, database: Database = None) -> None:
    """List the webhooks, and how many events wait or were given up."""
    table = Table("client", "url", "made", "state", "pending", "given up")
    with _open_store(state_dir, database) as store:
        for hook in store.webhooks.every():
            state = f"removed {hook.removed_at:%Y-%m-%d}" if hook.removed_at else "active"
            counts = (str(hook.pending), str(hook.given_up))
            made = f"{hook.created_at:%Y-%m-%d}"
            table.add_row(escape(hook.client), escape(hook.url), made, state, *counts)
    out.print(table)


@webhooks_app.command("remove")
def webhooks_remove(
    client: Annotated[str, typer.Argument(help="The client's name.")],
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Send a client nothing more; what still waited for it is given up."""
    with _open_store(state_dir, database) as store:
        store.webhooks.remove(client)
    out.print(f"Removed: {client}", markup=False, highlight=False)


CorpusDir = Annotated[Path | None, typer.Option("--corpus", help="Its folder  [default: data/corpus]")]


@corpus_app.command("add")
def corpus_add(
    file: Annotated[Path, typer.Argument(help="JSON Lines without id, source and wave.")],
    corpus: CorpusDir = None,
) -> None:
    """Add written messages: each gets its id, wave and split; exits 1 when any was refused."""
    from data.corpus import FOLDER
    from training.config import read_config
    from training.corpus.add import add

    added = add(file, waves=read_config().waves, folder=corpus or FOLDER)
    for reason in added.refused:
        _complain(f"refused {reason}")
    out.print(f"{added.count} messages added, {len(added.refused)} refused", highlight=False)
    if added.refused:
        raise typer.Exit(1)


@corpus_app.command("check")
def corpus_check(corpus: CorpusDir = None) -> None:
    """Check what must hold of the corpus; exits 1 with a sentence for each thing that does not."""
    from data.corpus import FOLDER
    from training.config import read_config
    from training.corpus.check import check

    found = check(corpus or FOLDER, waves=read_config().waves)
    for finding in found:
        _complain(finding)
    out.print(f"{len(found)} findings" if found else "The corpus is as it must be.", highlight=False)
    if found:
        raise typer.Exit(1)


@corpus_app.command("stats")
def corpus_stats(
    plots: Annotated[Path | None, typer.Option(help="Also write plots (PNG) into this folder.")] = None,
    corpus: CorpusDir = None,
) -> None:
    """Count the corpus, each number beside what it must be."""
    from data.corpus import FOLDER, load
    from training.corpus.plots import plot
    from training.corpus.stats import print_stats

    examples = load(corpus or FOLDER)
    print_stats(examples, out)
    for file in plot(examples, plots) if plots else ():
        out.print(f"-> {file}", highlight=False)


@corpus_app.command("card")
def corpus_card(
    output: Annotated[
        Path | None, typer.Option(help="Where to write it  [default: data/README.md]")
    ] = None,
    corpus: CorpusDir = None,
) -> None:
    """Write the data card anew from the data."""
    from data.corpus import FOLDER, load
    from training.corpus.card import CARD, data_card

    if corpus is not None and output is None:
        raise BadData("data/README.md is the card of the shipped corpus; give --output for another one's")
    target = output or CARD
    target.write_text(data_card(load(corpus or FOLDER)), encoding="utf-8")
    out.print(f"-> {target}", highlight=False)


@app.command()
def export(
    output: Annotated[
        Path,
        typer.Option(help="A new .jsonl, .csv, .labelstudio.json or .doccano.jsonl file."),
    ],
    queue: Annotated[
        int,
        typer.Option(help="Instead of labels: a batch of this many waiting messages, to label elsewhere."),
    ] = 0,
    annotator: Annotated[
        str | None, typer.Option(help="Who takes the batch; it is leased to them for a week.")
    ] = None,
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Write confirmed annotators' labels (or, with --queue, messages to label) to a file."""
    from data.exchange import answer_of, write_answers
    from data.queues import write_batch

    if output.exists() or not output.parent.is_dir():
        raise BadData(f"{output}: give a new file in a folder that exists")
    if queue and (annotator is None or output.suffix != ".jsonl"):
        raise BadData("a batch is a .jsonl file and needs --annotator: it is leased to them for a week")
    with _open_store(state_dir, database) as store:
        if queue and annotator:
            leased = store.next_for_review(annotator=annotator, limit=queue, lease=timedelta(days=7))
            count = write_batch(map(_item, leased), output)
        else:
            count = write_answers(map(answer_of, store.labelled()), output)
    out.print(f"{count} messages -> {output}", highlight=False)


@app.command("import")
def import_labels(
    file: Annotated[
        Path, typer.Argument(help="A file of labels, such as an answers file of the label command.")
    ],
    annotator: Annotated[str, typer.Option(help="Whose labels they are (a pseudonym).")],
    trainee: Annotated[
        bool, typer.Option("--trainee", help="They never reach a dataset by themselves.")
    ] = False,
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Read labels from a file into the store.

    Nothing is imported when a line is bad; importing a file again changes nothing.
    """
    from data.exchange import read_answers

    answers = list(read_answers(file))
    with _open_store(state_dir, database) as store:
        counts = store.import_answers(answers, annotator=annotator, confirmed=not trainee)
    erased = f"; {counts.erased} about erased messages left out" if counts.erased else ""
    out.print(f"{counts.added} answers from {file} are in the store{erased}", highlight=False)


@app.command()
def erase(
    message: Annotated[str, typer.Argument(help="The message's id, as feedback and exports give it.")],
    state_dir: StateDir = STATE_DIR,
    database: Database = None,
) -> None:
    """Remove a message's text and notes for good; no later snapshot or export holds it."""
    with _open_store(state_dir, database) as store:
        store.erase(message)
    out.print(f"Erased: {message}", highlight=False)


def _item(leased: "ReviewItem") -> "Item":
    """A message of the store's queue as the labelling script takes it."""
    from data.queues import Item, Mark
    from model.entities import parse
    from model.evidence import indicators

    messages = [parse(message) for message in leased.conversation.messages]
    return Item(
        id=leased.id,
        conversation=leased.conversation,
        wave_size=leased.wave_size,
        marks=tuple(Mark(one.message, one.start, one.end) for one in indicators(messages)),
        guess={"verdict": leased.guess.verdict, "label": leased.guess.label} if leased.guess else {},
    )


def _open_store(state_dir: Path, database: str | None) -> "closing[Store]":
    from data.store import open_store

    return closing(open_store(database or f"sqlite:///{state_dir / 'canhgiac.db'}"))


def _model_folder(model: Path | None, state_dir: Path) -> Path:
    from model.registry import SHIPPED, current

    return model or current(state_dir, SHIPPED)


def _classifier(model: Path | None, state_dir: Path) -> "Classifier":
    from model.classifier import Classifier

    return Classifier.from_pretrained(_model_folder(model, state_dir))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on standard error, on a terminal only; yields ``advance(done, total)``."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
