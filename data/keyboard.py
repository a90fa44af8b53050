"""Single key presses from the terminal, none lost between two questions.

Switching the terminal's mode for each key throws away what a fast typist pressed meanwhile, so
the mode is switched once for a whole sitting.
"""

import codecs
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

END = "\x04"
ESCAPE = "\x1b"


@contextmanager
def keyboard() -> Iterator[tuple[Callable[[], str], Callable[[], str]]]:
    """Yields ``read_key`` (one key press) and ``read_line`` (one edited line); restores the terminal."""
    try:
        import termios
        import tty
    except ImportError:  # Windows has no termios; its console reads single keys without a mode
        yield typer.getchar, input
        return
    terminal = sys.stdin.fileno()
    edited = termios.tcgetattr(terminal)

    def read_line() -> str:
        termios.tcsetattr(terminal, termios.TCSADRAIN, edited)
        try:
            return input()
        finally:
            tty.setcbreak(terminal, termios.TCSADRAIN)

    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield lambda: _read_key(terminal), read_line
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, edited)


def _read_key(terminal: int) -> str:
    """One character; an arrow key (several bytes) is one escape, the end of input Ctrl-D."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    key = ""
    while not key:
        byte = os.read(terminal, 1)
        if not byte:
            return END
        key = decoder.decode(byte)
    if key == ESCAPE:
        while select.select([terminal], [], [], 0)[0] and os.read(terminal, 1):
            pass
    return key
