"""Ask a database of vulnerabilities about every version in the lock; say so if none can be asked.

Exit code 1 if there is a known vulnerability, else 0, also if nothing could be asked: then the reason is printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

LOCK = Path(__file__).with_name("requirements-dev.lock")


def main(arguments: Sequence[str] = ()) -> int:
    """Audit the lock; ``arguments`` go to pip-audit, such as ``--vulnerability-service osv``."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
        command += ["--requirement", str(LOCK), "--format=json", f"--output={answer}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if not answer.exists() or not (text := answer.read_text(encoding="utf-8")):
            last = (done.stderr.strip() or f"pip-audit ended with {done.returncode}").splitlines()[-1]
            print(f"skipped: no database of vulnerabilities can be asked ({last})")
            return 0
    return report(json.loads(text)["dependencies"])


def report(packages: Sequence[dict]) -> int:
    """Print every vulnerability, and what was not known to the database."""
    unknown = [one for one in packages if "skip_reason" in one]
    bad = [(one, vulnerability) for one in packages for vulnerability in one.get("vulns", ())]
    for one, vulnerability in bad:
        mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {vulnerability['id']}, mended in {mended}")
    n_known = len(packages) - len(unknown)
    if not n_known:
        print(f"skipped: the database knows none of the {len(packages)} packages ({unknown[0]['skip_reason']})")
        return 0
    rest = f"; not known to it: {', '.join(one['name'] for one in unknown)}" if unknown else ""
    print(f"{n_known} packages audited, {len(bad)} vulnerabilities{rest}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
