"""Whether the bound `memory=` holds: the maximal resident set of fresh processes against what was allowed."""

import json
import subprocess
import sys
from collections.abc import Iterator

from bench.options import Options
from bench.tables import Column, Row, Table, attempted

#: (kind, width, depth, batch, batches, call, memory in MB): vectors that weigh more, activations, many small tensors.
CASES = (
    ("mlp", 1000, 3, 8, 2, "scalar_curvature", 300),
    ("mlp", 1000, 3, 8, 2, "measure", 300),
    ("mlp", 1000, 3, 8, 2, "trace", 300),
    ("mlp", 1000, 3, 8, 2, "spectral_density", 300),
    ("mlp", 1000, 3, 8, 2, "eigenpairs", 900),
    ("mlp", 2000, 3, 8, 2, "scalar_curvature", 2000),
    ("mlp", 2000, 3, 8, 2, "scalar_curvature", 1000),
    ("mlp", 256, 2, 20_000, 2, "scalar_curvature", 350),
    ("mlp", 512, 3, 4_000, 2, "measure", 400),
    ("mlp", 5000, 1, 4, 1, "scalar_curvature", 2400),
    ("lstm", 64, 100, 64, 2, "scalar_curvature", 140),
    ("lstm", 64, 100, 64, 2, "measure", 250),
    ("lstm", 16, 200, 64, 2, "scalar_curvature", 110),
)
COLUMNS = (
    Column("case", "call"),
    Column("n", "parameters", ",d"),
    Column("graph", "network, depth x width, batches", "s"),
    Column("memory", "allowed, MB", ",d"),
    Column("taken", "taken, MB", ",.0f"),
    Column("ratio", "taken / allowed", ".2f"),
    Column("vectors", "taken, in parameter vectors", ".1f"),
)


def tables(options: Options) -> Iterator[Table]:
    """One row a case; --quick takes the first two."""
    rows = [
        attempted({"case": case[5]}, lambda case=case: _row(*case)) for case in CASES[: 2 if options.quick else None]
    ]
    note = (
        "Maximal resident set of a fresh process without pages of libraries, less what it held before the call: "
        "torch, model, data, and what the same call on a narrow network of that depth left."
    )
    yield Table("bound", "The bound memory=", COLUMNS, rows, note)


def _row(kind: str, width: int, depth: int, batch: int, batches: int, call: str, megabytes: int) -> Row:
    network = [kind, *(str(x) for x in (width, depth, batch, batches))]
    command = [sys.executable, "-m", "bench.resident", *network, call, str(megabytes * 10**6)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    found = json.loads(done.stdout)
    taken = found["taken"] / 1e6
    return {
        "n": found["n"],
        "graph": f"{kind} {depth} x {width}, {batches} x {batch}",
        "memory": megabytes,
        "taken": taken,
        "ratio": taken / megabytes,
        "vectors": found["taken"] / (4 * found["n"]),
    }
