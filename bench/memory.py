"""Peak memory of one work in a process of its own: `python -m bench.memory CASE WORK` prints it as JSON."""

import json
import subprocess
import sys

from bench.networks import CASES
from bench.timing import extra_mebibytes
from bench.works import works


def peak(case: str, work: str) -> float:
    """MiB that `work` of `case` takes beyond model, data and vectors, in a fresh process."""
    command = [sys.executable, "-m", "bench.memory", case, work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return float(json.loads(done.stdout)["beyond"])


def main(case: str, work: str) -> None:
    """Run the work once and print what it took."""
    print(json.dumps({"beyond": extra_mebibytes(works(CASES[case])[work])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
