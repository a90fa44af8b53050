"""Which model serves now, and how the next one takes its place without a request lost.

The slot looks at the folder that should serve. When it is another one, it is loaded and must
answer a self-test before one assignment puts it in place. Requests in flight hold the old model and
finish on it. A new model that fails leaves the old one serving; ``problem`` and the log say why.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from data.errors import CanhGiacError
from model.artifact import MANIFEST
from serving.problems import Problem
from serving.served import SELF_TEST, ServedModel

logger = logging.getLogger("canhgiac.serving")

#: Seconds between two looks at the folder that should serve.
WATCH_SECONDS = 2.0

_Stamp = tuple[Path, int]


class ModelSlot:
    """The place of the model that serves; ``find`` names the folder, ``load`` makes it answer."""

    def __init__(
        self,
        find: Callable[[], Path],
        load: Callable[[Path], ServedModel],
        on_tried: Callable[[bool], None] = lambda ok: None,
    ) -> None:
        """``on_tried`` hears of each model that was tried whether it was put in place."""
        self._find, self._load, self._on_tried = find, load, on_tried
        self._serving: ServedModel | None = None
        self._placed: _Stamp | None = None
        self._failed: _Stamp | None = None
        self.problem: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> str | None:
        """The version that serves, or None while none does."""
        serving = self._serving
        return serving.version if serving else None

    def serving(self) -> ServedModel:
        """The model that serves now; keep it for the whole of a request. ``Problem`` (503) without one."""
        serving = self._serving
        if serving is None:
            raise Problem("model-not-ready", "no model could be loaded; see /readyz and the service's log")
        return serving

    def refresh(self) -> bool:
        """Whether another model was put in place just now.

        One that failed is tried again when its manifest changes; while nothing serves, every time.
        """
        try:
            stamp = _stamp(self._find())
            if stamp == self._placed:
                self.problem = None
            if stamp == self._placed or (stamp == self._failed and self._serving is not None):
                return False
            self._failed = stamp
            loaded = self._load(stamp[0])
            for conversation in SELF_TEST:
                loaded.read(conversation)()
        except Exception as error:  # a broken model, however broken, must not stop the one that serves
            self._tell(error)
            self._on_tried(False)
            return False
        self._serving, self._placed, self._failed, self.problem = loaded, stamp, None, None
        logger.info("model %s serves", loaded.version)
        self._on_tried(True)
        return True

    def watch(self, seconds: float = WATCH_SECONDS) -> None:
        """Look every ``seconds`` from a background thread, until ``close``."""
        self._thread = threading.Thread(
            target=self._watch, args=(seconds,), name="model-watch", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self.refresh()

    def _tell(self, error: Exception) -> None:
        what = (
            str(error) if isinstance(error, CanhGiacError) else f"{type(error).__name__} in the self-test"
        )
        if what != self.problem:
            logger.error("a model was not put in service: %s", what)
        self.problem = what


def _stamp(folder: Path) -> _Stamp:
    """What tells one model folder from another: its path, and when its manifest was written last."""
    manifest = folder / MANIFEST
    return folder, manifest.stat().st_mtime_ns if manifest.exists() else 0
