"""The Gauss-Newton matrix by its dual, the inner products of the gradients of single samples.

With `L_i = sum_k s_k b_k b_k^T` and the rows of Z the gradients `sqrt|s_k| J_i^T b_k`, `G = w Z^T S Z`, w the weight of
a loss term in f and S the signs of s. Of the (rows x rows) matrix `M = w Z Z^T`,

    tr G = sum_r S_r M_rr,    |G|_F^2 = sum_rs S_r S_s M_rs^2,

and the eigenvalues of G that are not zero are those of `S M`. Layer by layer M comes from inputs and gradients in the
outputs (see `grams`); Z is never formed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.errors import LossError, OutOfMemoryError
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.layerwise.capture import Call, captured, output_gradients, parameters_of
from egregium.layerwise.grams import Kept
from egregium.layerwise.outputs import output_curvature
from egregium.layerwise.structure import LOOKED_AT, Structure, agree

#: Rows of M that are worked on at once, and as many columns; at least one sample's.
ROWS = 512
#: Said where more is kept than may be.
KEEPS_LESS = 'Allow more, use fewer samples, or method="stochastic", which keeps no sample.'


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of Z of some samples: signs, 0 for rows that are zero, and what is kept of each layer, by its weight."""

    signs: Float[Tensor, "K N"]
    layers: dict[int, Kept]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.signs.numel() * 8 + sum(kept.size for kept in self.layers.values())

    def gram(self, other: "Piece") -> Float[Tensor, "rows others"]:
        """Z Z'^T, in float64."""
        total = self.signs.new_zeros(self.signs.numel(), other.signs.numel())
        for j in self.layers.keys() & other.layers.keys():  # a layer that a batch does not use has no gradient there
            total += self.layers[j].gram(other.layers[j])
        return total

    def chunks(self) -> Iterator["Piece"]:
        """The same in pieces of about ROWS rows."""
        K, N = self.signs.shape
        step = max(ROWS // max(K, 1), 1)
        for part in (slice(start, min(start + step, N)) for start in range(0, N if K else 0, step)):
            yield Piece(self.signs[:, part], {j: kept.of(part) for j, kept in self.layers.items()})


@dataclass(frozen=True, eq=False)
class Factor:
    """Z in pieces, and w: G = w Z^T S Z, without weight decay."""

    pieces: tuple[Piece, ...]
    weight: float

    @property
    def signs(self) -> Float[Tensor, " rows"]:
        """S, of the rows that are not zero."""
        return torch.cat([_live(piece.signs)[0] for piece in self.pieces])

    def blocks(self) -> Iterator[tuple[int, int, Float[Tensor, "rows columns"]]]:
        """The blocks (i, j, M_ij) of M on and below its diagonal."""
        for i, first in enumerate(self.pieces):
            for j, second in enumerate(self.pieces[: i + 1]):
                yield i, j, first.gram(second).mul_(self.weight)

    def moments(self, goes_on: Callable[[float], bool]) -> tuple[float, float] | None:
        """(tr G, |G|_F^2), a block of M at a time; None where `goes_on(fraction done)` said no."""
        trace, square, done = 0.0, 0.0, 0
        for i, j, M in self.blocks():
            first, second = (self.pieces[k].signs.reshape(-1) for k in (i, j))
            if i == j:
                trace += float(first @ M.diagonal())
            square += (1 + (i != j)) * float(first @ M.square() @ second)
            done += 1
            if not goes_on(2 * done / (len(self.pieces) * (len(self.pieces) + 1))):
                return None
        return trace, square

    def matrix(self) -> Float[Tensor, "rows rows"]:
        """M on and below its diagonal, without the rows that are zero; float64."""
        places = [_live(piece.signs)[1] for piece in self.pieces]
        starts = [0, *torch.tensor([place.numel() for place in places], dtype=torch.int64).cumsum(0).tolist()]
        M = self.pieces[0].signs.new_zeros(starts[-1], starts[-1])
        for i, j, block in self.blocks():
            M[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = block[places[i]][:, places[j]]
        return M


def factor(land: Landscape, structure: Structure, most: float) -> Factor:
    """Z of a landscape whose structure is `whole`: a forward pass, a backward pass to the layers' outputs for each row
    that a sample has, and one to the parameters by which the rows are verified on every batch.

    Raises OutOfMemoryError where it would keep more than `most` bytes, LossError where a batch is not as verified.
    """
    pieces: list[Piece] = []
    batches, size = 0, 0

    def contribution(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        nonlocal batches, size
        piece, count = _piece(batch, parameters, structure, tuple(land.shapes))
        batches, size = batches + 1, size + piece.size
        if size > most:
            raise OutOfMemoryError(
                f"The inputs and output gradients of the layers on batches 0 to {batch.index} take {size:,} bytes, more "
                f"than the {most:,.0f} that memory allows. {KEEPS_LESS}"
            )
        pieces.extend(piece.chunks())
        return [torch.ones((), dtype=torch.float64)], count

    (weight,) = land.means(contribution)
    return Factor(tuple(pieces), float(weight) / batches)


@dataclass(frozen=True)
class Size:
    """What the rows of Z would take, from a few samples of the first batch and the length of all.

    Attributes:
        samples: their number; largest: that of the largest batch.
        width: rows of a sample.
        kept: bytes of all rows.
    """

    samples: int
    largest: int
    width: int
    kept: int

    @property
    def rows(self) -> int:
        """Rows of Z, and of M."""
        return self.samples * self.width


def size_of_factor(land: Landscape, structure: Structure) -> Size:
    """What `factor` would keep. A pass over the data in which no model runs, but for a few samples."""
    lengths: list[int] = []
    width, each = 0, 0.0

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
        nonlocal width, each
        lengths.append(batch.samples)
        if batch.part is not None and not width:  # a batch may be without targets that count
            piece, _ = _piece(batch.part(LOOKED_AT), parameters, structure, tuple(land.shapes))
            width, each = piece.signs.shape[0], piece.size / max(piece.signs.shape[1], 1)
        return (), 1.0

    land.means(look)
    return Size(sum(lengths), max(lengths), width, int(each * sum(lengths)))


def _piece(
    batch: BatchLoss, parameters: Sequence[Tensor], structure: Structure, names: Sequence[str]
) -> tuple[Piece, Count]:
    assert batch.outputs is not None
    assert batch.criterion is not None
    with captured(parameters, structure.covered) as seen:
        z = batch.outputs()
    count = batch.criterion(z.detach())[1]
    vectors, numbers = output_curvature(batch.criterion, z).factors()
    shares: dict[int, Tensor] = {}
    for k, (b, s) in enumerate(zip(vectors, numbers, strict=True)):
        cotangent = (b * s.abs().sqrt().to(b.dtype).unsqueeze(1)).view_as(z)
        found = output_gradients(seen, z, cotangent)
        if k == len(numbers) - 1:
            _verify([*zip(seen.calls, found, strict=True)], z, cotangent, parameters, names, batch.index)
        for call, e in zip(seen.calls, found, strict=True):
            if e is not None:
                share = call.layer.share(e)
                whole = shares.setdefault(call.weight, share.new_zeros(len(numbers), *share.shape))
                whole[k] = share
    layers = {call.weight: call.layer.kept(shares[call.weight]) for call in seen.calls if call.weight in shares}
    live = numbers.abs() > torch.finfo(z.dtype).eps * numbers.abs().amax() if numbers.numel() else numbers
    return Piece(numbers.sign() * live, layers), count


def _verify(
    found: Sequence[tuple[Call, Tensor | None]],
    z: Tensor,
    cotangent: Tensor,
    parameters: Sequence[Tensor],
    names: Sequence[str],
    index: int,
) -> None:
    """LossError where the layers do not give the gradients that autograd does: a batch may take another way."""
    gradients = torch.autograd.grad(z, list(parameters), cotangent, retain_graph=True, materialize_grads=True)
    once = Counter(j for call, _ in found for j in parameters_of(call))
    mine = {j: torch.zeros_like(g).reshape(-1) for j, g in enumerate(gradients)}
    for call, e in found:
        if e is not None:
            mine |= zip(parameters_of(call), call.layer.gradients(e), strict=False)
    wrong = [names[j] for j, g in enumerate(gradients) if once[j] > 1 or not agree(mine[j], g)]
    if wrong:
        raise LossError(
            f"On batch {index} the gradients of {', '.join(wrong[:5])} are not those of the layer alone: the model takes "
            'another way there than on batch 0. method="dual" needs one way; use method="stochastic".'
        )


def _live(signs: Tensor) -> tuple[Tensor, Tensor]:
    """Those that are not 0, and where they are."""
    flat = signs.reshape(-1)
    places = flat.nonzero()[:, 0]
    return flat[places], places
