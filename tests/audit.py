"""Known vulnerabilities in what is installed, by pip-audit; part of `make lint`.

A vulnerability fails. No service to ask does not: the line says so, and nobody waits for it. A
service that knows none of the packages is a mirror that does not answer such questions, not good news.
"""

import json
import subprocess
import sys
from typing import Any

#: pip-audit's names of those who know, asked in this order until one does.
SERVICES = ("pypi", "osv")
#: Seconds that one of them has for everything.
LIMIT = 60
#: pip-audit's exit code for options it does not know: ours to mend, and no reason to go on unaudited.
_MISUSED = 2

Report = list[dict[str, Any]]


def main() -> int:
    """The exit code: 1 with a known vulnerability, else 0."""
    for service in SERVICES:
        found = told(asked(service))
        if found is not None:
            code, lines = found
            print("\n".join(lines))  # noqa: T201
            return code
    print("audit skipped: no vulnerability service reachable")  # noqa: T201
    return 0


def asked(service: str) -> Report:
    """What pip-audit says of each package installed here; empty when the service does not answer."""
    options = ["--skip-editable", "--progress-spinner=off", "--timeout=5", "--format=json"]
    command = [sys.executable, "-m", "pip_audit", f"--vulnerability-service={service}", *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        if done.returncode == _MISUSED:
            sys.exit(done.stderr)
        report: Report = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    return report


def told(report: Report) -> tuple[int, list[str]] | None:
    """Exit code and lines for a report; None when it has looked at nothing.

    >>> told([{"name": "a", "skip_reason": "not found"}]) is None
    True
    >>> told([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}])
    (0, ['audit: no known vulnerability in 1 packages; 1 could not be looked up'])
    >>> told([{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}])
    (1, ['a 1: CVE-1, fixed in 2'])
    """
    looked_at = [package for package in report if "vulns" in package]
    if not looked_at:
        return None
    lines = [
        f"{package['name']} {package['version']}: {known['id']}, "
        f"fixed in {', '.join(known['fix_versions']) or 'no version yet'}"
        for package in looked_at
        for known in package["vulns"]
    ]
    if lines:
        return 1, lines
    unknown = len(report) - len(looked_at)
    rest = f"; {unknown} could not be looked up" if unknown else ""
    return 0, [f"audit: no known vulnerability in {len(looked_at)} packages{rest}"]


if __name__ == "__main__":
    sys.exit(main())
