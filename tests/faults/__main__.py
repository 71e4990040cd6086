"""The long run: prints every finding, and figures."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.harness import Tally, run_cases

KINDS = {"faults": 500, "kills": 10, "artifacts": 2000, "programs": 2000,
         "levels": 1000, "generated": 1000, "native": 500,
         "remote": 500}  # cases of a batch  # fmt: skip


def main() -> int:
    """Run what is asked for; the status is 1 when there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="CASES")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", metavar="DIR", help="copy the mutants with findings to it")
    options = parser.parse_args()
    if options.keep:
        os.environ["FAULTS_KEEP"] = str(Path(options.keep).absolute())
        Path(options.keep).mkdir(parents=True, exist_ok=True)
    found = False
    for kind, size in KINDS.items():
        if count := getattr(options, kind):
            found |= run_kind(kind, options.seed, count, size, options.jobs)
    return int(found)


def run_kind(kind: str, first: int, count: int, size: int, jobs: int) -> bool:
    """Run the cases of a kind in batches, and return whether something was found."""
    began, total = time.monotonic(), Tally()
    batches = [
        (start, min(size, first + count - start)) for start in range(first, first + count, size)
    ]
    with ThreadPoolExecutor(jobs) as pool:
        for tally in pool.map(lambda batch: run_cases(kind, *batch), batches):
            total.add(tally)
            for finding in tally.findings:
                sys.stdout.write(f"{finding}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{kind}: {total}, {time.monotonic() - began:.0f} s\n")
    return bool(total.findings)


if __name__ == "__main__":
    sys.exit(main())
