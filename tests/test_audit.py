"""The audit's own loop: a stand-in for pip-audit says what a service would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VULNERABLE = (
    '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": []}]}]}'
)
CLEAN = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
NOT_KNOWN = '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'


@pytest.mark.parametrize(
    ("stand_in", "code", "line"),
    [
        (f"print('''{VULNERABLE}'''); sys.exit(1)", 1, "a 1: CVE-1, fixed in no version yet"),
        (f"print('''{CLEAN}''')", 0, "audit: no known vulnerability in 1 packages"),
        (f"print('''{NOT_KNOWN}''')", 0, "audit skipped: no vulnerability service reachable"),
        ("sys.exit('no route to host')", 0, "audit skipped: no vulnerability service reachable"),
        ("print('no such option', file=sys.stderr); sys.exit(2)", 1, ""),
    ],
)
def test_only_a_known_vulnerability_fails(tmp_path: Path, stand_in: str, code: int, line: str) -> None:
    (tmp_path / "pip_audit.py").write_text(f"import sys\n{stand_in}\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "audit.py")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (code, line)
