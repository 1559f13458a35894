"""What other libraries need for R: `PYTHON -m bench.rivals_run FILE PEER`, in a Python that has them.

Imports neither egregium nor, before it is asked to measure, the peers. The file holds the network, its data, the
symmetric matrix S with R = (tr S)^2 - |S|_F^2, and R.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor

from bench.peers import priced
from bench.tables import Row

#: R is to be within RTOL of the truth in CONFIDENCE of the runs.
RTOL, CONFIDENCE = 0.01, 0.9
#: Products in all, up to n; the share of them that goes to the trace; the ratio at which a bisection ends.
BUDGETS, SHARES, FINE = (16, 32, 64, 128, 256, 512, 1024, 2048), (0.25, 0.5, 0.75), 1.1
ROUNDS = 9


class Counted:
    """A matrix that counts the vectors it multiplies."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix, self.n, self.products = matrix, len(matrix), 0

    def __matmul__(self, V: Tensor) -> Tensor:
        self.products += V.shape[1] if V.ndim == 2 else 1
        return self.matrix @ V


@dataclass(frozen=True)
class Way:
    """A peer's `trace(products, seed)`, of a multiple of `step` products, and its `square(products, seed)`, |S|_F^2."""

    step: int
    trace: Callable[[int, int], float]
    square: Callable[[int, int], float]


@dataclass(frozen=True)
class Search:
    """The fewest products that bring R within RTOL of `truth`, the truth being known and the best split with it."""

    way: Way
    n: int
    truth: float
    seeds: int
    # Both estimates stand for themselves, so that a count that several splits use is run once.
    trace: Callable[[int, int], float] = field(init=False)
    square: Callable[[int, int], float] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trace", cache(self.way.trace))
        object.__setattr__(self, "square", cache(self.way.square))

    def fewest(self) -> tuple[int, int] | None:
        """(products for the trace, products for the norm); None where n products in all are too few."""
        low, found = 0, None
        for high in (*(b for b in BUDGETS if b < self.n), self.n):
            if found := self._split(high):
                break
            low = high
        while found and low and high > FINE * low:
            middle = round((low * high) ** 0.5)
            if better := self._split(middle):
                high, found = middle, better
            else:
                low = middle
        return found

    def _split(self, budget: int) -> tuple[int, int] | None:
        for share in SHARES:
            step = self.way.step
            m = step * max(1, round(share * budget / step))
            if self._enough(m, budget - m):
                return m, budget - m
        return None

    def _enough(self, m: int, k: int) -> bool:
        outside, allowed = 0, round((1 - CONFIDENCE) * self.seeds)
        for seed in range(self.seeds):
            r = self.trace(m, 2 * seed) ** 2 - self.square(k, 2 * seed + 1)
            outside += abs(r - self.truth) > RTOL * abs(self.truth)
            if outside > allowed:  # no later seed can mend it
                return False
        return True


def main(file: str, peer: str) -> None:
    """Measure one peer on one network and print a row as JSON."""
    torch.set_num_threads(1)
    given = torch.load(file, weights_only=False)
    counted = Counted(given["matrix"])
    way = WAYS[peer](counted)
    found = Search(way, counted.n, given["truth"], given["seeds"]).fewest()
    cost = priced(peer, given["model"], given["x"], given["y"], ROUNDS)
    row: Row = {"products": None, "for_trace": None, "price": cost["hessian"], "version": cost["version"]}
    if found:
        counted.products = 0
        way.trace(found[0], 0), way.square(found[1], 1)
        row |= {"products": counted.products, "for_trace": found[0]}
    print(json.dumps(row))


def _curvlinops(S: Counted) -> Way:
    from curvlinops import hutchinson_squared_fro, xtrace  # noqa: PLC0415 (one's absence is the other's no matter)
    from curvlinops._torch_base import PyTorchLinearOperator  # noqa: PLC0415

    class Operator(PyTorchLinearOperator):
        SELF_ADJOINT = True
        device, dtype = S.matrix.device, S.matrix.dtype

        def _matmat(self, X: list[Tensor]) -> list[Tensor]:
            return [S @ X[0]]

    op = Operator([(S.n,)], [(S.n,)])

    def seeded(estimator: Callable[[Operator, int], Tensor]) -> Callable[[int, int], float]:
        def run(products: int, seed: int) -> float:
            torch.manual_seed(seed)
            return estimator(op, products).item()

        return run

    return Way(2, seeded(xtrace), seeded(hutchinson_squared_fro))


def _eigenthings(S: Counted) -> Way:
    from hessian_eigenthings import hutch_plus_plus  # noqa: PLC0415
    from hessian_eigenthings.operators.base import LambdaOperator  # noqa: PLC0415

    S.matrix = S.matrix.float()  # its products come one vector at a time, which the memory's speed bounds
    op = LambdaOperator(lambda v: S @ v, S.n, dtype=torch.float32)

    def square(products: int, seed: int) -> float:
        """By hand: it has none, and its Hutchinson trace of S^2 would take two products a sample."""
        generator = torch.Generator().manual_seed(seed)
        V = torch.randint(0, 2, (S.n, products), generator=generator).to(S.matrix) * 2 - 1
        return ((S @ V).square().sum() / products).item()

    return Way(3, lambda m, seed: hutch_plus_plus(op, num_matvecs=m, seed=seed).estimate, square)


WAYS: dict[str, Callable[[Counted], Way]] = {
    "curvlinops-for-pytorch": _curvlinops,
    "hessian-eigenthings": _eigenthings,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
