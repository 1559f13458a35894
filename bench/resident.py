"""What a measurement takes beyond what was there.

`python -m bench.resident KIND WIDTH DEPTH BATCH BATCHES CALL [MEMORY]`: an MLP (`mlp`) of DEPTH square layers of WIDTH,
few large tensors, or an LSTM (`lstm`) of WIDTH over DEPTH steps, many small ones, and 10 outputs; CALL is a function of
egregium; MEMORY in bytes. Prints one JSON object; the memory is the maximal resident set of this process without the
pages of libraries, less what it was before the call.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import egregium as eg

#: Arguments of each call: little work, and all the memory.
CALLS: dict[str, dict[str, Any]] = {
    "scalar_curvature": {"method": "stochastic", "rtol": 0.01, "budget": 120},
    "measure": {"method": "stochastic", "rtol": 0.5, "budget": 400, "density": True},
    "trace": {"method": "stochastic", "rtol": 0.5, "budget": 60},
    "eigenpairs": {"k": 2, "tol": 0.3},
    "spectral_density": {"probes": 2, "steps": 16},
}


def resident() -> int:
    """The most resident memory so far, in bytes, without the pages of libraries, which come as code is first run.

    VmHWM and RssFile where there are any, for ru_maxrss begins at the parent's.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
    sizes = {words[0]: 1024 * int(words[1]) for words in lines if words[0] in ("VmHWM:", "RssFile:")}
    return sizes["VmHWM:"] - sizes["RssFile:"]


class Recurrent(nn.Module):
    """An LSTM whose last output is classified."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrence, self.head = nn.LSTM(width, width, batch_first=True), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.recurrence(x)[0][:, -1])  # type: ignore[no-any-return]


def landscape(kind: str, width: int, depth: int, batch: int, batches: int) -> eg.Landscape:
    """The network on random data, with weights of torch's own seed."""
    torch.manual_seed(0)
    hidden = [part for _ in range(depth) for part in (nn.Linear(width, width), nn.Tanh())]
    model = Recurrent(width) if kind == "lstm" else nn.Sequential(*hidden, nn.Linear(width, 10))
    shape = (batch, depth, width) if kind == "lstm" else (batch, width)
    data = [(torch.randn(shape), torch.randint(0, 10, (batch,))) for _ in range(batches)]
    return eg.Landscape(model, nn.CrossEntropyLoss(), data)


def main(kind: str, width: int, depth: int, batch: int, batches: int, call: str, memory: int | None) -> None:
    """Make the landscape, warm up on a small one, call, print."""
    options, phases = CALLS[call], []
    measured = getattr(eg, call)
    watched = {"progress": lambda report: phases.append(report.phase)} if "budget" in options else {}
    land = landscape(kind, width, depth, batch, batches)
    measured(landscape(kind, 4, depth, 9, 2), **options)  # loads what is loaded late
    before = resident()
    result = measured(land, memory=memory, **options, **watched)
    taken = resident() - before
    print(json.dumps({"n": land.n, "taken": taken, "said": phases[:1], "products": result.cost.total_products}))


if __name__ == "__main__":
    main(sys.argv[1], *(int(x) for x in sys.argv[2:6]), sys.argv[6], int(sys.argv[7]) if len(sys.argv) > 7 else None)
