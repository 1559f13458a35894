"""What a product with the Hessian or the Gauss-Newton matrix costs, in gradients of the same batch.

A block of 16 vectors in float32; works run in turn, and a cost is the median over rounds of
seconds(block) / 16 / seconds(gradient), gradient and block from the same round.
"""

import statistics
from collections.abc import Iterator

import torch

from bench import memory
from bench.networks import CASES
from bench.options import Options
from bench.peers import compared
from bench.tables import Column, Row, Table, attempted
from bench.timing import clock, interleaved, ratio
from bench.works import BLOCK, works

ROUNDS, QUICK_ROUNDS = 9, 2

COSTS = (
    Column("case", "network"),
    Column("parameters", "n", ",d"),
    Column("gradient_ms", "gradient, ms", ".1f"),
    Column("hessian", "Hessian", ".2f"),
    Column("range", "least to most"),
    Column("most", "bound", ".1f"),
    Column("bare", "bare autograd", ".2f"),
    Column("hessian_in_bare", "in bare gradients", ".2f"),
    Column("overhead", "block / bare", ".2f"),
    Column("gradient_overhead", "gradient / bare", ".2f"),
    Column("ggn", "GGN", ".2f"),
    Column("within", "within"),
)
MEMORY = (
    Column("case", "network"),
    Column("gradient", "gradient", ".0f"),
    Column("hessian", "Hessian block", ".0f"),
    Column("bare_hessian", "bare Hessian block", ".0f"),
    Column("ggn", "GGN block", ".0f"),
)


def tables(options: Options) -> Iterator[Table]:
    """Costs of products, their peak memory, and the peers' costs where a Python with them is given."""
    rounds = options.number(ROUNDS, QUICK_ROUNDS)
    rows = [attempted({"case": case.title}, lambda name=name: _cost(name, rounds)) for name, case in CASES.items()]
    note = (
        f"Block of {BLOCK} vectors, float32, median of {rounds} interleaved ratios. `hessian(land) @ V` in "
        f"`land.gradient()`; bare: torch.autograd alone, both block and gradient. Seconds by the {clock()}'s clock, "
        f"threads: {torch.get_num_threads()}."
    )
    yield Table("cost", "Cost of a product, in gradients", COSTS, rows, note)
    rows = [attempted({"case": case.title}, lambda name=name: _memory(name)) for name, case in CASES.items()]
    note = (
        "Peak resident memory of a fresh process during one work, less what it held before; bare products are not kept."
    )
    yield Table("memory", "Peak memory beyond model, data and vectors, MiB", MEMORY, rows, note)
    if options.peers is not None:
        yield compared(options.peers)


def _cost(name: str, rounds: int) -> Row:
    case = CASES[name]
    times = interleaved(works(case), rounds)
    middle, least, most = ratio(times["hessian"], times["gradient"], BLOCK)
    return {
        "parameters": sum(p.numel() for p in case.model().parameters()),
        "gradient_ms": 1e3 * statistics.median(times["gradient"]),
        "hessian": middle,
        "range": f"{least:.2f} to {most:.2f}",
        "most": case.most,
        "within": "yes" if case.most is None or middle <= case.most else "no",
        "bare": ratio(times["bare_hessian"], times["bare_gradient"], BLOCK)[0],
        "hessian_in_bare": ratio(times["hessian"], times["bare_gradient"], BLOCK)[0],
        "overhead": ratio(times["hessian"], times["bare_hessian"])[0],
        "gradient_overhead": ratio(times["gradient"], times["bare_gradient"])[0],
        "ggn": ratio(times["ggn"], times["gradient"], BLOCK)[0],
        "seconds": times,
    }


def _memory(name: str) -> Row:
    return {column.key: memory.peak(name, column.key) for column in MEMORY[1:]}
