"""The rows of Z (see `dual`), taken from the passes over the data and verified on every batch."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.errors import LossError, OutOfMemoryError
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.layerwise.apart import refuse_mixing
from egregium.layerwise.capture import Call, agree, captured, output_gradients, parameters_of
from egregium.layerwise.dual import Factor, Piece
from egregium.layerwise.outputs import LOST, precise_output_curvature
from egregium.layerwise.structure import LOOKED_AT, Structure

#: Said where more is kept than may be.
KEEPS_LESS = 'Allow more, use fewer samples, or method="stochastic", which keeps no sample.'


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
                f"The inputs and output gradients of the layers on batches 0 to {batch.index} take {size:,} bytes; "
                f"memory allows {most:,.0f}. {KEEPS_LESS}"
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
            piece, _ = _piece(batch.part(slice(LOOKED_AT)), parameters, structure, tuple(land.shapes))
            width, each = piece.signs.shape[0], piece.size / max(piece.signs.shape[1], 1)
        return (), 1.0

    land.means(look)
    return Size(sum(lengths), max(lengths), width, int(each * sum(lengths)))


def _piece(
    batch: BatchLoss, parameters: Sequence[Tensor], structure: Structure, names: Sequence[str]
) -> tuple[Piece, Count]:
    assert batch.outputs is not None
    assert batch.criterion is not None
    with captured(batch, structure.covered) as seen:
        z = batch.outputs()
    count = batch.criterion(z.detach())[1]
    curvature = precise_output_curvature(batch.criterion, z)
    refuse_mixing(seen, z, curvature, batch.index)
    vectors, numbers = curvature.factors()
    shares: dict[int, Tensor] = {}
    for k, (b, s) in enumerate(zip(vectors, numbers, strict=True)):
        cotangent = (b * s.abs().sqrt().to(b.dtype).unsqueeze(1)).to(z.dtype).view_as(z)
        found = output_gradients(seen, z, cotangent)
        if k == len(numbers) - 1:
            _verify([*zip(seen.calls, found, strict=True)], z, cotangent, parameters, names, batch.index)
        for call, e in zip(seen.calls, found, strict=True):
            if e is not None:
                share = call.layer.share(e)
                whole = shares.setdefault(call.weight, share.new_zeros(len(numbers), *share.shape))
                whole[k] = share
    layers = {call.weight: call.layer.kept(shares[call.weight]) for call in seen.calls if call.weight in shares}
    live = numbers.abs() > LOST * torch.finfo(z.dtype).eps * numbers.abs().amax() if numbers.numel() else numbers
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
            f"On batch {index} the gradients of {', '.join(wrong[:5])} are not those of the layer alone: the model "
            'takes another way there than on batch 0. method="dual" needs one way; use method="stochastic".'
        )
