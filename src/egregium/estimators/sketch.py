"""Trace and squared Frobenius norm from one set of products: a deflating sketch and fresh probes.

For symmetric A, an orthonormal basis Q (n, m) of a sketched range, and `P = I - Q Q^T`,

    tr A    = tr(Q^T A Q)              + E[ w^T P A P w ]
    |A|_F^2 = 2 |A Q|_F^2 - |Q^T A Q|_F^2 + E[ |P A P w|^2 ]

for random signs w: the head is exact, only the remainder is sampled, and both expectations come from the same
products A P w. The probes w are *fresh*, independent given Q, so every error below is one of independent samples;
averages over the sketch's own left-out probes share probes, and their jackknife is not one of independent samples
(E. Epperly, J. Tropp, R. Webber, arXiv 2301.07825 for the trace). Products already taken are never lost: to deepen the
sketch, the fresh products A P w become its new directions.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import ArgumentError
from egregium.estimators.probes import signs
from egregium.operators import SymmetricOperator
from egregium.results.cost import Cost

#: Streams of the probe generator: the sketch's first directions and the fresh probes.
SKETCH, FRESH = 0, 1

#: Products of fresh probes that are kept to become directions: a bound on memory.
KEPT = 64
#: Directions fainter than this share of the largest are noise: a Gram matrix in float64 knows singular values to 1e-8.
FAINTEST = 1e-7
#: Asymmetry that is refused, in square roots of the dtype's rounding: far beyond what rounding does.
SKEW = 10


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is known of A after some products.

    Attributes:
        basis: Q (n, m), orthonormal; image: A Q (n, m).
        head_trace, head_square: tr(Q^T A Q) and 2 |A Q|_F^2 - |Q^T A Q|_F^2.
        traces, squares: (k,) per fresh probe, unbiased for tr A and |A|_F^2, independent given Q.
        remainders: (n, k) the products P A P w of the fresh probes.
        drawn: fresh probes drawn so far, of all depths; seed: of the probes; cost: of all products.
    """

    basis: Float[Tensor, "n m"]
    image: Float[Tensor, "n m"]
    head_trace: float
    head_square: float
    traces: Float[Tensor, " k"]
    squares: Float[Tensor, " k"]
    remainders: Float[Tensor, "n k"]
    drawn: int
    seed: int
    cost: Cost

    @property
    def depth(self) -> int:
        """m, the number of deflated directions."""
        return self.basis.shape[1]

    @property
    def probes(self) -> int:
        """k, the number of fresh probes at this depth."""
        return self.traces.numel()


def empty_sketch(op: SymmetricOperator, seed: int) -> Sketch:
    """Nothing known yet: no directions, no probes, no cost."""
    none = torch.empty(op.n, 0, dtype=op.dtype, device=op.device)
    no_samples = torch.empty(0, dtype=torch.float64)
    return Sketch(none, none, 0.0, 0.0, no_samples, no_samples, none, 0, seed, Cost())


def begun(op: SymmetricOperator, m: int, seed: int) -> Sketch:
    """A sketch of min(m, n) directions, the range of A on random signs: 2 m products, no fresh probe yet."""
    m = min(m, op.n)
    omega = signs(op.n, 0, m, seed=seed, stream=SKETCH, dtype=op.dtype, device=op.device)
    start = replace(empty_sketch(op, seed), remainders=op @ omega, cost=op.cost(m))
    return deepened(op, start)


def deepened(op: SymmetricOperator, sketch: Sketch) -> Sketch:
    """The sketch with its remainders as new directions (one product each) and no fresh probes."""
    new = orthonormal(sketch.remainders, sketch.basis)
    none = sketch.traces[:0]
    if new.shape[1] == 0:  # A is deflated to rounding: nothing is left to sample
        return replace(sketch, remainders=sketch.remainders[:, :0], traces=none, squares=none)
    basis = torch.cat([sketch.basis, new], dim=1)
    image = torch.cat([sketch.image, op @ new], dim=1)
    core = (basis.T @ image).double()
    _symmetric(core, basis.dtype)
    square = 2 * float((image.double() ** 2).sum()) - float((core**2).sum())
    cost = sketch.cost + op.cost(new.shape[1])
    return Sketch(basis, image, float(core.trace()), square, none, none, image[:, :0], sketch.drawn, sketch.seed, cost)


def widened(op: SymmetricOperator, sketch: Sketch, k: int) -> Sketch:
    """The sketch with k more fresh probes: k products."""
    fresh = signs(op.n, sketch.drawn, k, seed=sketch.seed, stream=FRESH, dtype=op.dtype, device=op.device)
    w = _projected(sketch.basis, fresh)
    product = op @ w
    traces = (w.double() * product.double()).sum(0).cpu()
    rest = _projected(sketch.basis, product)
    squares = (rest.double() ** 2).sum(0).cpu()
    return replace(
        sketch,
        traces=torch.cat([sketch.traces, sketch.head_trace + traces]),
        squares=torch.cat([sketch.squares, sketch.head_square + squares]),
        remainders=torch.cat([sketch.remainders, rest], dim=1)[:, -KEPT:],
        drawn=sketch.drawn + k,
        cost=sketch.cost + op.cost(k),
    )


def _symmetric(core: Float[Tensor, "m m"], dtype: torch.dtype) -> None:
    """Raise ArgumentError where Q^T A Q is not symmetric: a check that costs nothing."""
    skew, size = float(torch.linalg.matrix_norm(core - core.T)), float(torch.linalg.matrix_norm(core))
    if skew > SKEW * torch.finfo(dtype).eps ** 0.5 * size:
        raise ArgumentError(
            f"The operator is not symmetric: |Q^T A Q - (Q^T A Q)^T| is {skew / size:.2g} of |Q^T A Q|. Either "
            "a second derivative is wrong (a custom autograd.Function?), or the loss changes between passes."
        )


def _projected(basis: Float[Tensor, "n m"], V: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """(I - Q Q^T) V, twice for orthogonality to rounding."""
    for _ in range(2):
        V = V - basis @ (basis.T @ V)
    return V


def orthonormal(V: Float[Tensor, "n k"], basis: Float[Tensor, "n m"]) -> Float[Tensor, "n r"]:
    """An orthonormal basis of the part of span V that is orthogonal to `basis`, r <= min(k, n - m).

    Through the (k x k) Gram matrix, twice; directions below rounding of the largest are dropped, since what is left of
    them is noise.
    """
    scale = float(torch.linalg.vector_norm(V.double(), dim=0).amax()) if V.shape[1] else 0.0
    for _ in range(2):
        V = _projected(basis, V)
        values, vectors = torch.linalg.eigh(V.double().T @ V.double())
        floor = scale * max(torch.finfo(V.dtype).eps ** 0.75, FAINTEST)
        kept = values > floor**2
        V = (V.double() @ (vectors[:, kept] / values[kept].sqrt())).to(V.dtype)
        scale = 1.0
    return V[:, : max(basis.shape[0] - basis.shape[1], 0)]
