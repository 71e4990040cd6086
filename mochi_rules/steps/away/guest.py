"""The process of a program that runs on a server, as `steps.processes.subprocesses` is here."""

from __future__ import annotations

import json
from pathlib import Path

from mochi_rules.steps.processes import subprocesses

REQUEST = "program.json"


def main() -> None:
    """Be the program of the request in this folder; the status is the program's."""
    subprocesses.main(json.loads(Path(REQUEST).read_bytes()))
