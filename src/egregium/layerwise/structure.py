"""What a network allows: found from its modules and its graph on a few samples, and verified there by numbers.

Nothing is taken from a name. The gradient that the captured layers give is compared with autograd's, parameter by
parameter, and one that differs (a tied or reshaped weight, a module used twice, samples in another dimension) is
left to the general way. The outputs are asked whether they are affine in each parameter tensor, the others held fixed:
then `tr D = 0` exactly, D = H - G the curvature of the outputs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from egregium.autodiff import uses_of
from egregium.errors import EgregiumError
from egregium.landscape import BatchLoss, Landscape
from egregium.landscape.losses import Count
from egregium.layerwise.apart import apart, layers_apart, weightings
from egregium.layerwise.capture import agree, captured, output_gradients, parameters_of
from egregium.layerwise.chain import is_chain
from egregium.layerwise.outputs import output_curvature
from egregium.layerwise.singles import Singles, verified

#: Samples that are looked at; gradients of theirs that it takes to see whether they can be had one by one.
LOOKED_AT, ONE_BY_ONE = 8, 8


@dataclass(frozen=True)
class Structure:
    """What was verified.

    Attributes:
        covered: parameters, by index, whose gradients of single samples the captured layers give, each with how often
            the graph uses it.
        parameters: their number in all.
        width: K, the numbers that a sample puts out; 0 where outputs and loss cannot be told apart, or samples.
        affine: whether the outputs are affine in each parameter tensor.
        chain: whether it is a short row of dense layers and elementwise activations, tr D in closed form.
        penalised: whether the loss depends on the parameters beside the outputs: then H - G is more than D.
        held: bytes of layers' inputs that are kept for a sample: unfolded, for convolutions.
        singles: parameters beside the covered ones whose gradients the model gives on samples alone; None where that
            was not looked for.
        samples: those of the first batch that were looked at, and all of it.
    """

    covered: Mapping[int, int] = field(default_factory=dict)
    parameters: int = 0
    width: int = 0
    affine: bool = False
    chain: bool = False
    penalised: bool = False
    samples: tuple[int, int] = (0, 1)
    held: float = 0.0
    singles: Singles | None = None

    @property
    def look(self) -> float:
        """Gradients of the first batch that finding this out took: some passes, a product a tensor that is affine."""
        looked, all_of_them = self.samples
        one_by_one = 0 if self.singles is None else ONE_BY_ONE
        return looked / all_of_them * (4 + 2 * (self.parameters if self.affine else 1) + one_by_one)

    @property
    def checks(self) -> int:
        """Backward passes that seeing on every batch that samples are apart takes, once."""
        return weightings(self.samples[1]) if self.covered else 0

    @property
    def whole(self) -> bool:
        """Whether every parameter is covered."""
        return self.width > 0 and len(self.covered) == self.parameters

    @property
    def complete(self) -> bool:
        """Whether the gradients of single samples are known in every parameter, whatever they cost."""
        alone = len(self.singles.which) if self.singles is not None else 0
        return self.width > 0 and len(self.covered) + alone == self.parameters


def structure(land: Landscape, complete: bool = False) -> Structure:
    """Look at a few samples of the first batch; where that fails in any way, nothing is known and nothing assumed.

    Samples one by one are looked at where outputs are affine, and with `complete` in any case, unless all is covered.
    """
    found = Structure()

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Sequence[Tensor], Count]:
        nonlocal found
        if batch.part is not None:
            chosen, outputs_at = _chosen(batch, parameters), batch.outputs_at
            part = batch.part(chosen)
            if outputs_at is not None:
                part = replace(part, outputs_at=lambda tensors, which: outputs_at(tensors, chosen[which]))
            found = _looked(part, batch, parameters, complete)
        return (), 1.0

    try:
        land.means(look, most=1)
    except (EgregiumError, RuntimeError, ValueError, TypeError, IndexError):
        return Structure()  # the general way meets the same, or needs none of it
    return found


def _looked(part: BatchLoss, whole: BatchLoss, parameters: list[Tensor], complete: bool) -> Structure:
    assert part.outputs is not None
    assert part.criterion is not None
    with captured(part) as seen:
        z = part.outputs()
    if not isinstance(z, Tensor) or z.ndim < 1 or z.shape[0] != part.samples or not z.requires_grad:
        return Structure()
    penalised = part.criterion(z.detach())[0].requires_grad
    curvature = output_curvature(part.criterion, z)
    if not apart(curvature, 0):
        return Structure()
    draw = torch.Generator().manual_seed(0)
    u = torch.randn(z.shape, generator=draw, dtype=torch.float64).to(z)
    gradients = torch.autograd.grad(z, parameters, u, create_graph=True, materialize_grads=True)
    affine = all(_affine(g, p, draw) for g, p in zip(gradients, parameters, strict=True))
    covered: dict[int, int] = {}
    if seen.calls:
        once = Counter(j for call in seen.calls for j in parameters_of(call))
        e = output_gradients(seen, z, u)
        uses = uses_of([z], part.placed)
        for call, first, separate in zip(seen.calls, e, layers_apart(seen, z, 0), strict=True):
            if first is None or not separate:
                continue
            pairs = list(zip(parameters_of(call), call.layer.gradients(first), strict=False))
            if all(once[j] == 1 and agree(mine, gradients[j]) for j, mine in pairs):
                covered |= {j: uses[j] for j, _ in pairs}
    rest = [j for j in range(len(parameters)) if j not in covered]
    singles = None
    if rest and (affine or complete):
        singles = verified(part, parameters, rest, z.detach(), u, [gradients[j].detach() for j in rest])
    return Structure(
        covered,
        len(parameters),
        curvature.width,
        affine,
        is_chain(part),
        penalised,
        (part.samples, max(whole.samples, 1)),
        sum(call.layer.held for call in seen.calls) / max(part.samples, 1),
        singles,
    )


def _chosen(batch: BatchLoss, parameters: Sequence[Tensor]) -> Tensor:
    """Samples to look at, drawn at random: the first ones may be alike."""
    order = torch.randperm(batch.samples, generator=torch.Generator().manual_seed(0))
    return order[:LOOKED_AT].sort().values.to(parameters[0].device)


def _affine(g: Tensor, p: Tensor, draw: torch.Generator) -> bool:
    """Whether the block of p in the outputs' curvature is zero, not small: for ReLU networks it is so bit for bit."""
    if not g.requires_grad:
        return True
    v = torch.randn(g.shape, generator=draw, dtype=torch.float64).to(g)
    (Dv,) = torch.autograd.grad(g, [p], v, retain_graph=True, materialize_grads=True)
    return not bool(Dv.any())


def jointly_affine(land: Landscape) -> bool:
    """Whether D = H - G is zero at the point, on every batch and along a random direction of all parameters at once.

    D of the outputs weighted at random: zero, not small. A loss that is a function of the parameters beside the
    outputs is refused too. Costs a product.
    """
    draw = torch.Generator().manual_seed(0)
    zero = True

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Sequence[Tensor], Count]:
        nonlocal zero
        z = batch.outputs() if batch.outputs is not None else None
        if not isinstance(z, Tensor) or batch.criterion is None or batch.criterion(z.detach())[0].requires_grad:
            zero = False
            return (), 1.0
        u, *v = (torch.randn(x.shape, generator=draw, dtype=torch.float64).to(x) for x in (z, *parameters))
        gradients = torch.autograd.grad(z, parameters, u, create_graph=True, materialize_grads=True)
        live = [j for j, g in enumerate(gradients) if g.requires_grad]
        if live:
            bent = torch.autograd.grad(
                [gradients[j] for j in live], parameters, [v[j] for j in live], materialize_grads=True
            )
            zero &= not any(bool(part.any()) for part in bent)
        return (), 1.0

    land.means(look)
    return zero
