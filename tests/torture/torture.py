"""Every robustness check against the real service, one after another, and a table of what was seen.

    python -m tests.torture.torture [--quick] [--only NAME] [--soak-minutes 30]

All of it stays on this machine: the service listens on the loopback, with folders of its own. The
exit code is 1 when a check fails. A target is for two free cores; on a busy machine times say little.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from model.registry import SHIPPED
from tests.torture import contract, folders, intrusion, leaks, network, overload, quadratic, shutdown, soak
from tests.torture.table import Row, show

Check = Callable[[Path], Iterator[Row]]


def checks(*, quick: bool, soak_minutes: float) -> dict[str, Check]:
    """Every check by its name, the long one last; ``quick`` asks less of each."""
    less = 10 if quick else 1
    return {
        "leaks": leaks.check,
        "network": network.check,
        "folders": lambda place: folders.check(place, SHIPPED, flips=100 // less),
        "hostile": lambda place: intrusion.check(place, share=less),
        "contract": lambda place: contract.check(place, examples=500 // less),
        "quadratic": lambda _: quadratic.check(SHIPPED, minutes=2 / less),
        "shutdown": lambda place: shutdown.check(place, times=20 // less),
        "overload": lambda place: overload.check(place, seconds=60 / less),
        "soak": lambda place: soak.check(place, minutes=soak_minutes / less),
    }


def main() -> None:
    """Run the checks that the command line asks for; exit code 1 when one fails."""
    parser = argparse.ArgumentParser(description="Robustness checks against the real service.")
    parser.add_argument("--quick", action="store_true", help="a tenth of each check")
    parser.add_argument("--only", action="append", metavar="NAME", help="this check only; may be repeated")
    parser.add_argument("--soak-minutes", type=float, default=30.0)
    given = parser.parse_args()
    known = checks(quick=given.quick, soak_minutes=given.soak_minutes)
    unknown = set(given.only or ()) - set(known)
    if unknown:
        parser.error(f"no such check; there are {', '.join(known)}")
    with TemporaryDirectory(prefix="torture-") as place:
        chosen = (
            check(_folder(place, name)) for name, check in known.items() if name in (given.only or known)
        )
        sys.exit(0 if show(chain.from_iterable(chosen), Console(width=160)) else 1)


def _folder(place: str, name: str) -> Path:
    folder = Path(place) / name
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
