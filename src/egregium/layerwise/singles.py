"""Gradients of single samples in any parameters: the model on one sample at a time, many at once under `vmap`.

For parameters that no known layer holds (a weight used by hand or twice, a recurrence, attention): J_i^T b by the
vector-Jacobian product of the model on sample i alone. Where `vmap` cannot follow the model, a loop over the samples.
That a sample alone is what it is in its batch is verified on a few samples, and its outputs again in every batch.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.autodiff import exhausted
from egregium.landscape import BatchLoss
from egregium.layerwise.capture import RouteError, agree

#: Bytes of gradients of single samples that are taken at once; more is no faster, it leaves the cache.
BYTES = 2**23
#: Arrays as large that stand beside each other: weights for each sample, their gradient, its sum over uses.
COPIES = 4
#: Roundings by which a sample's outputs alone and in its batch may differ.
OF_OUTPUTS = 1e3

#: What is kept of a sample's gradients, one tensor a parameter.
Read = Callable[[Sequence[Tensor]], Tensor]


@dataclass(frozen=True)
class Singles:
    """Parameters `which`, by index, whose gradients come from single samples, under vmap or (`looped`) in a loop."""

    which: tuple[int, ...] = ()
    looped: bool = False

    def bytes_held(self, samples: int, each: int) -> float:
        """Of so many samples, the gradients of one taking `each`; a graph beside them is no larger than the batch's."""
        return COPIES * each * (1 if self.looped else min(samples, _chunk(each)))


def squared_gradients(
    batch: BatchLoss, parameters: Sequence[Tensor], singles: Singles, z: Tensor, vectors: Float[Tensor, "K N M"]
) -> Float[Tensor, "K N"]:
    """|J_i^T b_k|^2 in the singles' parameters, for K vectors b_k of each sample, in float64; z: the batch's outputs.

    Raises RouteError where a sample alone has other outputs than in its batch, or vmap fails on it.
    """
    cotangents = vectors.to(z.dtype).transpose(0, 1).reshape(z.shape[0], len(vectors), *z.shape[1:])
    try:
        found = [*_gradients(batch, parameters, singles, cotangents, _square)]
    except Exception as error:
        if exhausted(error):
            raise
        raise RouteError(f"Batch {batch.index} fails sample by sample, unlike the first samples: {error}") from error
    if not _same([outputs for outputs, _ in found], z):
        raise RouteError(
            f"Batch {batch.index} has other outputs than its samples have one by one, unlike the first samples: they "
            "act on each other. Traces by parts do not fit it."
        )
    return torch.cat([squares for _, squares in found]).T


def verified(
    part: BatchLoss, parameters: Sequence[Tensor], rest: Sequence[int], z: Tensor, u: Tensor, slopes: Sequence[Tensor]
) -> Singles:
    """Those of the parameters `rest` whose gradients come right; z: the outputs of `part`, slopes: J^T u, of `rest`.

    The outputs of samples alone are those in the batch, the sum of their gradients is the batch's, and no sample's
    outputs change, bit for bit, where the second one stands in the place of the first.
    """
    places = torch.arange(part.samples, device=z.device).clamp(min=1)
    moved = part.part(places).outputs if part.part is not None and part.samples > 1 else None
    if moved is None or not torch.equal(moved()[1:], z[1:]):
        return Singles()
    for looped in (False, True):
        tried = Singles(tuple(rest), looped)
        outputs, total = [], torch.zeros((), dtype=z.dtype, device=z.device)
        try:
            for of_chunk, gradients in _gradients(part, parameters, tried, u.unsqueeze(1), _flat):
                outputs.append(of_chunk)
                total = total + gradients.sum((0, 1))
        except Exception:  # whatever vmap cannot follow; the loop, or the general way, says what is wrong
            continue
        parts = torch.split(total, [slope.numel() for slope in slopes])
        good = tuple(j for j, mine, slope in zip(rest, parts, slopes, strict=True) if agree(mine, slope))
        if _same(outputs, z) and (good == tried.which or looped):
            return Singles(good, looped)
    return Singles()


def _same(outputs: Sequence[Tensor], z: Tensor) -> bool:
    """Whether the outputs of samples alone are those of the batch."""
    alone = torch.cat([*outputs])
    return alone.shape == z.shape and agree(alone, z, OF_OUTPUTS)


def _gradients(
    batch: BatchLoss, parameters: Sequence[Tensor], singles: Singles, cotangents: Float[Tensor, "N K ..."], read: Read
) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs (c, ...) and what is read of J_i^T b_k (c, K, ...), for c samples after the other."""
    own = {j: parameters[j] for j in singles.which}
    step = 1 if singles.looped else _chunk(sum(p.numel() * p.element_size() for p in own.values()))
    way = _alone if singles.looped else _together
    for places in torch.arange(batch.samples, device=cotangents.device).split(step):  # type: ignore[no-untyped-call]
        yield way(batch, own, places, cotangents[places], read)


def _together(
    batch: BatchLoss, own: dict[int, Tensor], places: Tensor, cotangents: Tensor, read: Read
) -> tuple[Tensor, Tensor]:
    """Under vmap, with weights of its own for each sample: what is made of them may be written into (a GRU's steps)."""
    outputs_at = batch.outputs_at
    assert outputs_at is not None

    def one(place: Tensor, b: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        z, pull = torch.func.vjp(lambda *w: outputs_at(dict(zip(own, w, strict=True)), place), *weights)
        return z.squeeze(0), torch.stack([read(pull(of_output.unsqueeze(0))) for of_output in b])

    weights = [p.detach().expand(len(places), *p.shape) for p in own.values()]
    with torch.no_grad(), warnings.catch_warnings():  # no graph of the other parameters; nothing said about speed
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        return torch.func.vmap(one)(places.unsqueeze(1), cotangents, *weights)


def _alone(
    batch: BatchLoss, own: dict[int, Tensor], places: Tensor, cotangents: Tensor, read: Read
) -> tuple[Tensor, Tensor]:
    """The same of a single sample, by the ordinary backward pass."""
    outputs = batch.part(places).outputs if batch.part is not None else None
    assert outputs is not None
    z = outputs()
    pull = partial(torch.autograd.grad, z, [*own.values()], retain_graph=True, materialize_grads=True)
    return z.detach(), torch.stack([read(pull(b)) for b in cotangents.unbind(1)]).unsqueeze(0)


def _square(gradients: Sequence[Tensor]) -> Tensor:
    """|g|^2 in float64; by norms, which take no array beside the gradient."""
    return torch.stack([torch.linalg.vector_norm(g).double().square() for g in gradients]).sum()


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([g.reshape(-1) for g in gradients])


def _chunk(each: int) -> int:
    """Samples at once, for so many bytes each."""
    return max(BYTES // max(each, 1), 1)
