"""What a measurement takes beyond what was there: `python -m bench.resident WIDTH LAYERS BATCH BATCHES CALL [MEMORY]`.

An MLP of LAYERS square layers of WIDTH and one of 10 outputs; CALL is a function of egregium; MEMORY in bytes. Prints
one JSON object; the memory is the maximal resident set of this process, less what it was before the call.
"""

import json
import resource
import sys
from typing import Any

import torch
from torch import nn

import egregium as eg

#: Arguments of each call: little work, and all the memory.
CALLS: dict[str, dict[str, Any]] = {
    "scalar_curvature": {"method": "stochastic", "rtol": 0.5, "budget": 200},
    "measure": {"method": "stochastic", "rtol": 0.5, "budget": 400, "density": True},
    "trace": {"method": "stochastic", "rtol": 0.5, "budget": 200},
    "eigenpairs": {"k": 2, "tol": 0.3},
    "spectral_density": {"probes": 2, "steps": 16},
}


def resident() -> int:
    """The most resident memory so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def landscape(width: int, layers: int, batch: int, batches: int) -> eg.Landscape:
    """The MLP on random data, with weights of torch's own seed."""
    torch.manual_seed(0)
    hidden = [part for _ in range(layers) for part in (nn.Linear(width, width), nn.Tanh())]
    data = [(torch.randn(batch, width), torch.randint(0, 10, (batch,))) for _ in range(batches)]
    return eg.Landscape(nn.Sequential(*hidden, nn.Linear(width, 10)), nn.CrossEntropyLoss(), data)


def main(width: int, layers: int, batch: int, batches: int, call: str, memory: int | None) -> None:
    """Make the landscape, warm up on a small one, call, print."""
    options, phases = CALLS[call], []
    measured = getattr(eg, call)
    watched = {"progress": lambda report: phases.append(report.phase)} if "budget" in options else {}
    land = landscape(width, layers, batch, batches)
    measured(landscape(4, 1, 9, 2), **options)  # loads what is loaded late
    before = resident()
    result = measured(land, memory=memory, **options, **watched)
    taken = resident() - before
    print(json.dumps({"n": land.n, "taken": taken, "said": phases[:1], "products": result.cost.total_products}))


if __name__ == "__main__":
    main(*(int(x) for x in sys.argv[1:5]), sys.argv[5], int(sys.argv[6]) if len(sys.argv) > 6 else None)
