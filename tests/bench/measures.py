"""One contender's round: what is measured of a service, of its model folder, and how long."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from model.classifier import Classifier
from tests.bench.load import Report
from tests.bench.messages import bodies, conversations
from tests.bench.services import ROOT, Running, Service, peak_memory, running

BATCH = 256
#: The share of its own peak at which a service's waiting is measured.
BUSY = 0.7


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each thing is measured in a round: seconds, or numbers of messages."""

    rounds: int
    seconds: float
    corpus_seconds: float
    batches: int
    score: int
    model: int


@dataclass(frozen=True, slots=True)
class Contender:
    """A service to measure; ``folder`` is its model folder where it is one of ours.

    Of what is measured by number a slow one gets only a ``share``.
    """

    name: str
    service: Service
    folder: Path | None
    share: float


@dataclass(slots=True)
class Messages:
    """Files of request bodies, each line one: single ones of both mixes, and batches."""

    phone: Path
    corpus: Path
    batches: Path

    @classmethod
    def written(cls, folder: Path, number: int, batches: int) -> "Messages":
        """As many of each as a run may need."""
        files = cls(folder / "phone.jsonl", folder / "corpus.jsonl", folder / "batches.jsonl")
        _write(files.phone, islice(bodies("phone"), number))
        _write(files.corpus, islice(bodies("corpus"), number))
        items = bodies("phone", seed=8)
        joined = (b", ".join(islice(items, BATCH)) for _ in range(batches))
        _write(files.batches, (b'{"items": [' + some + b"]}" for some in joined))
        return files


def _write(file: Path, lines: Iterable[bytes]) -> None:
    file.write_bytes(b"\n".join(lines) + b"\n")


@dataclass(slots=True)
class Loads:
    """Load on one running service from a process of its own; no body is sent twice to it."""

    running: Running
    sent: dict[Path, int] = field(default_factory=dict)
    failed: int = 0

    def put(self, file: Path, *options: str) -> Report:
        """What the generator saw; see ``tests.bench.load`` for its options."""
        arguments = [
            "--url",
            self.running.url,
            "--messages",
            str(file),
            "--skip",
            str(self.sent.get(file, 0)),
        ]
        if self.running.key:
            arguments += ["--key", self.running.key]
        command = [sys.executable, "-m", "tests.bench.load", *arguments, *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        statuses = {int(status): count for status, count in found.pop("statuses").items()}
        seen = Report(**found, statuses=statuses)
        self.sent[file] = self.sent.get(file, 0) + seen.requests
        self.failed += seen.requests - statuses.get(200, 0)
        return seen


def over_http(
    service: Service, messages: Messages, plan: Plan, batches: int, log: Path
) -> dict[str, float]:
    """Everything that is measured on the running service; ``batches`` are sent to it, 0 for none."""
    seconds = str(plan.seconds)
    with running(service, log) as ready:
        found = {"cold_start": ready.cold_start, "memory_start": ready.memory()}
        loads = Loads(ready)
        loads.put(messages.phone, "--seconds", "1", "--connections", "16")
        before = ready.processor_seconds()
        peak = loads.put(messages.phone, "--seconds", seconds)
        found["single"] = peak.per_second
        found["processor"] = 1000 * (ready.processor_seconds() - before) / peak.requests
        busy = loads.put(messages.phone, "--seconds", seconds, "--rate", str(BUSY * peak.per_second))
        found |= {"p50": busy.p50, "p99": busy.p99}
        if plan.corpus_seconds:
            corpus = loads.put(messages.corpus, "--seconds", str(plan.corpus_seconds))
            found["single_corpus"] = corpus.per_second
        if batches:
            options = ("--path", "/v1/classify/batch", "--connections", "2", "--seconds", "60")
            answered = loads.put(messages.batches, *options, "--requests", str(batches))
            found["batch"] = answered.per_second * BATCH
        return found | {"memory_load": ready.memory(), "failed": float(loads.failed)}


def scored(folder: Path, source: Path, number: int, scratch: Path) -> dict[str, float]:
    """`canhgiac score` on the first messages of a file: those a second once it runs, and its memory."""
    with source.open("rb") as lines:
        rows = list(islice(lines, number))
    seconds, memory = [], 0.0
    for count in (1, number):
        given = scratch / "rows.jsonl"
        given.write_bytes(b"".join(rows[:count]))
        command = ["score", "--input", str(given), "--output", str(scratch / "scored.jsonl")]
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", "from canhgiac import main; main()", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "CANHGIAC_MODEL_DIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        memory = peak_memory(process)
        seconds.append(time.perf_counter() - started)
        if process.returncode:
            raise RuntimeError("canhgiac score failed")
    return {"score": (number - 1) / max(seconds[1] - seconds[0], 1e-3), "score_memory": memory}


def alone(folder: Path, number: int) -> float:
    """Messages a second of the model itself, in this process, on one thread."""
    classifier = Classifier.from_pretrained(folder)
    first, *sample = islice(conversations("phone", seed=9), number + 1)
    classifier.predict([first])
    started = time.perf_counter()
    classifier.predict(sample)
    return number / (time.perf_counter() - started)


def examine(
    contender: Contender, messages: Messages, plan: Plan, scratch: Path, *, first: bool
) -> dict[str, float]:
    """Everything that is measured of a contender in one round, ``first`` of all or not."""
    batches = max(2, round(plan.batches * contender.share)) if plan.batches else 0
    if contender.folder is None or (contender.share < 1 and not first):
        batches = 0  # the plain one takes none, and for a slow one a batch is long: once is enough
    log = scratch / f"{contender.name}.log"
    found = over_http(contender.service, messages, plan, batches, log)
    if contender.folder is not None:
        found |= scored(contender.folder, messages.phone, round(plan.score * contender.share), scratch)
        found["model"] = alone(contender.folder, round(plan.model * contender.share))
    return found
