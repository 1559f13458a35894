"""The trace of a landscape's matrix of second derivatives by parts, as a source for the estimators."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature.shape import OperatorName
from egregium.landscape import Landscape
from egregium.layerwise import Part, Structure, chain_remainder_trace, exact_gauss_newton_trace, structure, trace_pass
from egregium.results import Cost

#: Numbers a sample puts out above which tr G is sampled: one backward pass for each.
MOST_OUTPUTS = 64
#: Gradients that are counted for a forward pass; for a backward pass to the layers' outputs, with the norms of the
#: samples' gradients; for a pass of layer probes.
FORWARD, BACKWARD, LAYER_PROBES = 1 / 3, 0.4, 2.0
#: Gradients that are counted for those of all samples one by one: under vmap, for the forward pass, and for each number
#: that a sample puts out (measured, N = 2,000, n = 1,300 to 2,700: ReLU network 4, GRU 2.4, attention 1.1; 82,000: 9);
#: in a loop, for each number of each sample (N = 10 to 250: 0.07 to 0.4).
TOGETHER, EACH, LOOPED = 3.0, 4.0, 0.4
#: The most gradients that an exact trace may take so: of G, where the way beside it is shared probes of t and F; of H,
#: where products give it too.
MOST_FOR_G, MOST_FOR_H = 64, 24
#: Arrays as large as the layers' inputs, and as the Hessians of the losses in the outputs, that a pass holds at once.
COPIES, LOSSES = 2, 4


@dataclass(frozen=True, eq=False)
class LandscapeTrace:
    """tr A of the landscape's `operator`, (tr A - shift) / W for the shape operator: see `layerwise`.

    Attributes:
        land: at a fixed point.
        structure: what was verified of the network.
        of_hessian: whether A is H, and not G.
        gauss_newton: "exact", "probes", "none" where the probes are of the whole Hessian.
        rest: what the passes sample beside it: "remainder", "hessian" or none.
    """

    land: Landscape
    structure: Structure
    seed: int
    gauss_newton: str
    rest: Part | None
    of_hessian: bool = True
    W: float = 1.0
    shift: float = 0.0

    @property
    def parts(self) -> tuple[Part, ...]:
        """What a pass samples."""
        of_g: tuple[Part, ...] = ("gauss-newton",) if self.gauss_newton == "probes" else ()
        return of_g if self.rest is None else (*of_g, self.rest)

    @property
    def sampled(self) -> bool:
        return bool(self.parts)

    @property
    def words(self) -> str:
        known = {"exact": "tr G exact", "probes": "tr G by output probes", "none": ""}[self.gauss_newton]
        if self._alone:
            known += f", {self._alone:,} parameters by gradients of single samples"
        rest = {
            "remainder": "tr(H - G) by a probe a sample",
            "hessian": "tr H by a probe a sample" if self.structure.covered else "tr H by a probe a batch",
            None: "tr(H - G) in closed form" if self._closed else "tr(H - G) = 0, verified" if self.of_hessian else "",
        }[self.rest]
        return ", ".join(part for part in (known, rest) if part)

    def first(self) -> Cost:
        return self._constant_cost() + Cost(gradients=2 * self.price().gradients)

    def price(self) -> Cost:
        prices = {"gauss-newton": FORWARD + 2 * BACKWARD, "remainder": LAYER_PROBES, "hessian": LAYER_PROBES}
        return Cost(gradients=sum(prices[part] for part in self.parts))

    def begin(self) -> tuple[float, Cost]:
        constant = decay_trace(self.land)
        if self.gauss_newton == "exact":
            constant += exact_gauss_newton_trace(self.land, self.structure)
        if self._closed:
            constant += chain_remainder_trace(self.land)
        return (constant - self.shift) / self.W, self._constant_cost()

    def sample(self, index: int) -> Float[Tensor, " m"]:
        return (
            torch.cat([trace_pass(self.land, self.structure, part, self.seed, index).values for part in self.parts])
            / self.W
        )

    def bytes_of_pass(self) -> float:
        """Of a pass over the first batch, beside its graph: inputs, products with them, Hessians of the losses."""
        width, samples = self.structure.width if self.gauss_newton == "exact" else 0, self.structure.samples[1]
        each = self._alone * torch.empty(0, dtype=self.land.dtype).element_size()
        alone = self.structure.singles.bytes_held(samples, each) if self.structure.singles is not None else 0.0
        return samples * (COPIES * self.structure.held + LOSSES * 8 * width**2) + alone

    def shaped(self, W: float, shift: float) -> "LandscapeTrace":
        """The same for the shape operator: tr S~ = (tr H - beta p) / W."""
        return replace(self, W=W, shift=shift)

    def _constant_cost(self) -> Cost:
        backward = self.structure.width * BACKWARD if self.structure.covered else 0.0
        exact = FORWARD + backward if self.gauss_newton == "exact" else 0.0
        exact += price_of_singles(self.structure, self.land) if self._alone else 0.0
        closed = FORWARD + BACKWARD if self._closed else 0.0
        apart = self.structure.checks * BACKWARD
        return Cost(gradients=self.structure.look / self.land.batch_count + apart + exact + closed)

    @property
    def _alone(self) -> int:
        """Numbers in theta whose gradients are taken sample by sample."""
        singles = self.structure.singles
        if singles is None or self.gauss_newton != "exact":
            return 0
        sizes = [shape.numel() for shape in self.land.shapes.values()]
        return sum(sizes[j] for j in singles.which)

    @property
    def _closed(self) -> bool:
        """Whether tr(H - G) is taken in closed form."""
        return self.of_hessian and self.rest is None and not self.structure.affine and self.structure.chain


def trace_by_parts(land: Landscape, operator: OperatorName = "hessian", seed: int = 0) -> LandscapeTrace | None:
    """The cheapest way to the trace that the network's structure allows; None where nothing is known of it.

    Costs a look at a few samples of the first batch.
    """
    found = structure(land, complete=operator == "ggn")
    sizes = [shape.numel() for shape in land.shapes.values()]
    of_g = "exact" if found.width <= MOST_OUTPUTS else "probes"
    one_by_one = found.complete and not found.whole and of_g == "exact"
    price = price_of_singles(found, land) if one_by_one else 0.0
    if operator == "ggn":
        known = found.whole or (one_by_one and price <= MOST_FOR_G)
        return LandscapeTrace(land, found, seed, of_g, None, of_hessian=False) if known else None
    if found.penalised:  # a probe of a sample's layer outputs would miss the penalty, one of the batch does not
        return LandscapeTrace(land, Structure(), seed, "none", "hessian") if land.batch_count > 1 else None
    if found.whole and (found.affine or found.chain):
        return LandscapeTrace(land, found, seed, of_g, None)
    if one_by_one and found.affine and price <= MOST_FOR_H:
        return LandscapeTrace(land, found, seed, "exact", None)
    if found.whole and of_g == "exact":
        return LandscapeTrace(land, found, seed, "exact", "remainder")
    if land.batch_count > 1 or 2 * sum(sizes[j] for j in found.covered) >= land.n:
        return LandscapeTrace(land, found, seed, "none", "hessian")
    return None  # most parameters would share one probe, which is never cheaper than the shared probes of R


def price_of_singles(found: Structure, land: Landscape) -> float:
    """Gradients that are counted for those of all samples one by one, in the parameters that no layer covers."""
    if found.singles is not None and found.singles.looped:
        return LOOPED * found.width * found.samples[1] * land.batch_count
    return TOGETHER + EACH * found.width


def decay_trace(land: Landscape) -> float:
    """What weight decay adds to the trace: the sum of its coefficients over all parameters."""
    ones = torch.ones(1, land.n, dtype=land.dtype, device=land.device)
    into = torch.zeros(1, land.n, dtype=torch.float64, device=land.device)
    land.add_decay(into, ones)
    return float(into.sum())
