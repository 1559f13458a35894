"""The same products by other libraries: `PYTHON -m bench.peers CASE PEER`, in a Python that has them.

Imports neither egregium nor, before it is asked to measure, the peers.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.networks import CASES
from bench.tables import Column, Row, Table, attempted
from bench.timing import Work, interleaved, ratio

#: Vectors in a block, as in `bench.works`; rounds; and which networks.
BLOCK, ROUNDS = 16, 3
NAMES = ("mlp-256", "cnn-pooled", "transformer", "transformer-sdpa")
COLUMNS = (
    Column("case", "network"),
    Column("peer", "library"),
    Column("hessian", "Hessian", ".2f"),
    Column("range", "least to most"),
    Column("version", "version"),
)


def compared(python: Path) -> Table:
    """The peers' costs, each case in a process of `python`."""
    rows = []
    for name in NAMES:
        for peer in PEERS:
            labels = {"case": CASES[name].title, "peer": peer}
            rows.append(attempted(labels, lambda name=name, peer=peer: asked(python, "bench.peers", name, peer)))
    note = f"Block of {BLOCK} vectors, float32, in bare gradients of the same process; {ROUNDS} rounds, 1 thread."
    return Table("peers", "The same products by other libraries, in gradients", COLUMNS, rows, note)


def main(case: str, peer: str) -> None:
    """Measure one peer on one case and print a row as JSON."""
    torch.set_num_threads(1)
    print(json.dumps(priced(peer, *CASES[case].built(), ROUNDS)))


def priced(peer: str, model: nn.Module, x: Tensor, y: Tensor, rounds: int) -> Row:
    """The peer's Hessian product, in bare gradients."""
    parameters = list(model.parameters())
    V = torch.randn(sum(p.numel() for p in parameters), BLOCK, generator=torch.Generator().manual_seed(0))
    block = PEERS[peer](model, x, y, V)
    gradient: Work = lambda: torch.autograd.grad(F.cross_entropy(model(x), y), parameters)
    times = interleaved({"gradient": gradient, "block": block}, rounds)
    middle, least, most = ratio(times["block"], times["gradient"], BLOCK)
    return {"hessian": middle, "range": f"{least:.2f} to {most:.2f}", "version": version(peer)}


def asked(python: Path, module: str, *arguments: str) -> Row:
    """The row that `module` prints, run in `python`. Raises RuntimeError with the error's words where it fails."""
    done = subprocess.run([str(python), "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.partition(":")[0].endswith("Error")]
        raise RuntimeError((said or ["no word of an error"])[0].partition(": ")[2])
    row: Row = json.loads(done.stdout.strip().rpartition("\n")[2])
    return row


def _curvlinops(model: nn.Module, x: Tensor, y: Tensor, V: Tensor) -> Work:
    from curvlinops import HessianLinearOperator  # noqa: PLC0415 (one peer's absence is the other's no matter)

    parameters = list(model.parameters())
    op = HessianLinearOperator(model, nn.CrossEntropyLoss(), parameters, [(x, y)], check_deterministic=False)
    return lambda: op @ V


def _eigenthings(model: nn.Module, x: Tensor, y: Tensor, V: Tensor) -> Work:
    from hessian_eigenthings import HessianOperator  # noqa: PLC0415

    op = HessianOperator(model, [(x, y)], lambda m, batch: F.cross_entropy(m(batch[0]), batch[1]))
    return lambda: [op.matvec(v) for v in V.T]


PEERS: dict[str, Callable[[nn.Module, Tensor, Tensor, Tensor], Work]] = {
    "curvlinops-for-pytorch": _curvlinops,
    "hessian-eigenthings": _eigenthings,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
