"""Peak memory of one work in a process of its own: `python -m bench.memory CASE WORK` prints it as JSON."""

import json
import subprocess
import sys

from bench.networks import CASES
from bench.timing import peak_mebibytes
from bench.works import works


def peak(case: str, work: str) -> float:
    """MiB that `work` of `case` takes beyond model, data and vectors, in a fresh process."""
    command = [sys.executable, "-m", "bench.memory", case, work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return float(json.loads(done.stdout)["beyond"])


def main(case: str, work: str) -> None:
    """Run the work once and print the peak before and after."""
    chosen = works(CASES[case])[work]
    before = peak_mebibytes()
    chosen()
    print(json.dumps({"before": before, "beyond": peak_mebibytes() - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
