"""Trace and squared Frobenius norm from one set of products: a deflating sketch and fresh probes.

For symmetric A, an orthonormal basis Q (n, m) of a sketched range, and `P = I - Q Q^T`,

    tr A    = tr(Q^T A Q)              + E[ w^T P A P w ]
    |A|_F^2 = 2 |A Q|_F^2 - |Q^T A Q|_F^2 + E[ |P A P w|^2 ]

for random signs w: the head is exact, only the remainder is sampled, and both expectations come from the same
products A P w. The probes w are *fresh*, independent given Q, so every error below is one of independent samples;
averages over the sketch's own left-out probes share probes, and their jackknife is not one of independent samples
(E. Epperly, J. Tropp, R. Webber, arXiv 2301.07825 for the trace). Products already taken are never lost: to deepen the
sketch, the fresh products A P w become its new directions.

Blocks are kept as rows, (k, n), and worked on in place: what is held between products is Q and the remainders, and A Q
is used and dropped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.estimators.probes import signs
from egregium.operators import SymmetricOperator
from egregium.operators.inner import chunks, dots, gram
from egregium.operators.symmetry import refuse_skew
from egregium.results.cost import Cost

#: Stream of the probe generator.
FRESH = 1

#: Products of fresh probes that are kept at each depth to become directions: a bound on memory.
KEPT = 64
#: Effective rank of A^2 above which a spectrum is flat: a pilot's 16 directions would leave nine tenths of it. That
#: of untrained networks is about 100, and falls off further on: without a sketch they took twice the products.
FLAT = 200
#: Directions fainter than this share of the largest are noise: a Gram matrix in float64 knows singular values to 1e-8.
FAINTEST = 1e-7


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is known of A after some products.

    Attributes:
        basis: Q^T in blocks of rows (m_i, n), orthonormal; core: Q^T A Q (m, m); image_square: |A Q|_F^2.
        traces, squares: (k,) per fresh probe, unbiased for tr A and |A|_F^2, independent given Q.
        remainders: blocks of rows (k_i, n), products P A P w of the first fresh probes at this depth.
        drawn: fresh probes drawn so far, of all depths; seed: of the probes; cost: of all products.
    """

    basis: tuple[Float[Tensor, "m_i n"], ...]
    core: Float[Tensor, "m m"]
    image_square: float
    traces: Float[Tensor, " k"]
    squares: Float[Tensor, " k"]
    remainders: tuple[Float[Tensor, "k_i n"], ...]
    drawn: int
    seed: int
    cost: Cost

    @property
    def depth(self) -> int:
        """m, the number of deflated directions."""
        return self.core.shape[0]

    @property
    def probes(self) -> int:
        """k, the number of fresh probes at this depth."""
        return self.traces.numel()

    @property
    def kept(self) -> int:
        """Products of fresh probes that are held, to become directions."""
        return sum(block.shape[0] for block in self.remainders)

    @property
    def head_trace(self) -> float:
        """tr(Q^T A Q)."""
        return float(self.core.trace())

    @property
    def head_square(self) -> float:
        """2 |A Q|_F^2 - |Q^T A Q|_F^2."""
        return 2 * self.image_square - float(self.core.square().sum())


def empty_sketch(seed: int) -> Sketch:
    """Nothing known yet: no directions, no probes, no cost."""
    no_samples = torch.empty(0, dtype=torch.float64)
    return Sketch((), torch.empty(0, 0, dtype=torch.float64), 0.0, no_samples, no_samples, (), 0, seed, Cost())


def begun(op: SymmetricOperator, m: int, seed: int, block: int) -> Sketch:
    """A sketch of min(m, n) directions, the range of A on the first probes: 2 m products, no fresh probe yet."""
    sketch, m = empty_sketch(seed), min(m, op.n)
    for first in range(0, m, block):
        sketch = widened(op, sketch, min(block, m - first), m)
    return deepened(op, sketch)


def effective_rank(products: Sequence[Float[Tensor, "k_i n"]]) -> float:
    """(tr B^2)^2 / tr B^4 of the matrix B whose products with independent probes are given; infinite where unknown.

    From pairs of products: E |B w|^2 |B w'|^2 = (tr B^2)^2, E (w^T B^2 w')^2 = tr B^4. How many directions must be
    deflated before a sample of |B w|^2 varies less.
    """
    rows = [torch.cat([gram(a, b) for b in products], 1) for a in products]
    if not rows:
        return math.inf
    G = torch.cat(rows)
    squares = G.diagonal()
    pairs = float(squares.sum() ** 2 - squares.square().sum())
    crossed = float(G.square().sum() - squares.square().sum())
    return pairs / crossed if crossed > 0 else math.inf


def deepened(op: SymmetricOperator, sketch: Sketch) -> Sketch:
    """The sketch with its remainders as new directions (one product each) and no fresh probes.

    The remainders are overwritten: `sketch` is of no use afterwards.
    """
    new, cost = directions(sketch, op.dtype), sketch.cost
    sketch = replace(sketch, traces=sketch.traces[:0], squares=sketch.squares[:0], remainders=())
    for part in new:
        image = rows_of(op @ part.T)
        cost = cost + op.cost(part.shape[0])
        sketch = with_image(sketch, part, image)
    return replace(sketch, cost=cost)


def directions(sketch: Sketch, dtype: torch.dtype) -> list[Float[Tensor, "m_i n"]]:
    """The remainders as new orthonormal directions, in their memory; no product."""
    basis = list(sketch.basis)
    largest = max((float(dots(r, r).max()) ** 0.5 for r in sketch.remainders), default=0.0)
    for remainder in sketch.remainders:
        new = orthonormal_(remainder, basis, largest * faint_share(dtype))
        if new.shape[0]:  # else A is deflated to rounding: nothing is left to sample
            basis.append(new)
    return basis[len(sketch.basis) :]


def with_image(sketch: Sketch, new: Float[Tensor, "m n"], image: Float[Tensor, "m n"]) -> Sketch:
    """The sketch with directions `new`, whose products are the rows of `image`."""
    corner = gram(new, image).cpu()
    refuse_skew(corner, new.dtype)
    side = torch.cat([gram(old, image).cpu() for old in sketch.basis]) if sketch.basis else corner[:0]
    core = torch.cat([torch.cat([sketch.core, side], 1), torch.cat([side.T, (corner + corner.T) / 2], 1)])
    image_square = sketch.image_square + float(dots(image, image).sum())
    return replace(sketch, basis=(*sketch.basis, new), core=core, image_square=image_square)


def deflates(sketch: Sketch) -> bool:
    """Whether deflating the kept products lowers the variance of later samples: not where the spectrum is flat."""
    return bool(sketch.kept) and effective_rank(sketch.remainders) < FLAT


def widened(op: SymmetricOperator, sketch: Sketch, k: int, kept: int = KEPT) -> Sketch:
    """The sketch with k more fresh probes: k products, of which `kept` in all are held to become directions."""
    w = fresh_probes(sketch, op.n, k, op.dtype, op.device)
    sketch = with_probes(sketch, w, rows_of(op @ w.T), kept)
    return replace(sketch, cost=sketch.cost + op.cost(k))


def fresh_probes(sketch: Sketch, n: int, k: int, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "k n"]:
    """The next k fresh probes, outside the sketch's span."""
    w = rows_of(signs(n, sketch.drawn, k, seed=sketch.seed, stream=FRESH, dtype=dtype, device=device))
    _project(w, sketch.basis)
    return w


def with_probes(sketch: Sketch, w: Float[Tensor, "k n"], product: Float[Tensor, "k n"], kept: int = KEPT) -> Sketch:
    """The sketch with fresh probes `w`, whose products are the rows of `product` (overwritten)."""
    k = w.shape[0]
    traces = dots(w, product).cpu()
    _project(product, sketch.basis)
    squares = dots(product, product).cpu()
    room = kept - sketch.kept
    held = (product if room >= k else product[:room].clone(),) if room > 0 else ()
    return replace(
        sketch,
        traces=torch.cat([sketch.traces, sketch.head_trace + traces]),
        squares=torch.cat([sketch.squares, sketch.head_square + squares]),
        remainders=(*sketch.remainders, *held),
        drawn=sketch.drawn + k,
    )


def rows_of(V: Float[Tensor, "n k"]) -> Float[Tensor, "k n"]:
    """The columns of V as contiguous rows; V's own memory where it is a transposed block of rows."""
    return V.T.contiguous()


def faint_share(dtype: torch.dtype) -> float:
    """Size of a direction, relative to the largest, below which it is rounding."""
    return float(max(torch.finfo(dtype).eps ** 0.75, FAINTEST))


def _project(rows: Float[Tensor, "k n"], basis: Sequence[Float[Tensor, "m_i n"]]) -> None:
    """rows <- rows (I - Q Q^T) in place, twice for orthogonality to rounding."""
    for _ in range(2):
        for block in basis:
            rows.addmm_(rows @ block.T, block, alpha=-1)


def orthonormal_(
    rows: Float[Tensor, "k n"], basis: Sequence[Float[Tensor, "m_i n"]], faintest: float
) -> Float[Tensor, "r n"]:
    """An orthonormal basis of the part of the rows' span that is orthogonal to `basis`, in their memory; r <= k.

    Through the (k x k) Gram matrix, twice. Directions below `faintest` are dropped, since what is left of them is
    noise: rounding of the largest.
    """
    most = rows.shape[1] - sum(block.shape[0] for block in basis)
    for _ in range(2):
        _project(rows, basis)
        values, vectors = torch.linalg.eigh(gram(rows, rows))
        good = values > faintest**2
        turn = (vectors[:, good] / values[good].sqrt()).T.to(rows.dtype)
        for part in chunks(rows.shape[1], 2 * rows.shape[0]):
            rows[: turn.shape[0], part] = turn @ rows[:, part]
        rows, faintest = rows[: turn.shape[0]], faint_share(rows.dtype)
    return rows[: max(most, 0)]
