"""C7 on a landscape of the user's own: SGD over its batches, against the covariance of their gradients.

A walker that takes k steps of rate eta has the noise eta S, S the sum of k batches' gradients, each less that of all
data. S has the covariance k C, so that (eta^2 / 2) S^T H S has the mean (t / 2) tr(H Sigma), with t = eta k and
Sigma = eta C. Both sides are of the same draws: a batch that is drawn often by chance is in both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from egregium.claims.claim import Outcome, Run
from egregium.claims.diffusion import chance
from egregium.curvature import hessian
from egregium.errors import UnsuitableError
from egregium.geometry.kinks import kink_note
from egregium.landscape import BatchLoss, Landscape
from egregium.measurement import squared_frobenius
from egregium.operators.inner import dots, gram
from egregium.results import Chart, Check, Series

#: Steps of a walker.
STEPS = 4
#: What the next order may change of the gain.
NEXT_ORDER = 0.1
#: Level of the one comparison there is.
LEVEL = 0.999


@dataclass(frozen=True, eq=False)
class Noise:
    """Sums S (walkers, n) of the gradients' noise of each walker's batches, with (walkers,) S^T H S and |H S|^2."""

    sums: Tensor
    bent: Tensor
    bent_twice: Tensor

    @property
    def trace_HC(self) -> float:
        """tr(H C), of these draws."""
        return float(self.bent.mean()) / STEPS

    @property
    def squared_norm(self) -> float:
        """|C|_F^2: the mean of (S_i^T S_j)^2 over pairs of walkers, which are independent."""
        squares = gram(self.sums, self.sums).square().cpu()
        squares.fill_diagonal_(0.0)
        return float(squares.sum()) / (len(squares) * (len(squares) - 1)) / STEPS**2


def on_target(land: Landscape, run: Run) -> Outcome:
    """Walkers take steps on batches, beside plain descent from the same point: what noise alone adds."""
    if kink_note(land):
        raise UnsuitableError(
            "C7 cannot be run on this target: its loss has kinks (ReLU, max pooling, ...), over which walkers step and "
            "which H does not know of. Use smooth activations (tanh, GELU, SiLU)."
        )
    land = land.to(dtype=torch.float64).fixed()
    batches, weights = mini_batches(land)
    draw, count = torch.Generator().manual_seed(run.seed), run.pick(32, 128)
    chosen = torch.multinomial(weights, count * STEPS, replacement=True, generator=draw).reshape(count, STEPS)
    run.advance("gradients of batches", 0.0)
    noise = noise_of(land, batches, chosen)
    if not bool(noise.bent.any()):
        return Outcome((), notes=("All batches have the same gradient: there is no noise.",))
    rate = NEXT_ORDER * abs(float(noise.bent.mean() / noise.bent_twice.mean())) / STEPS
    run.advance("walkers", 0.4)
    coarse, fine = (excess_gains(land, batches, chosen, r) for r in (rate, rate / 2))
    check = compared(land, noise, coarse, fine, rate / 2)
    passes = 3 * count * STEPS / len(batches) + 2 * count + 2 * count / 3
    notes = (
        f"About {passes:,.0f} gradients of the full data, in float64. tr(H C) = {noise.trace_HC:.3g} +/- "
        f"{chance(noise.bent, LEVEL) / STEPS:.2g} ({100 * LEVEL:g} %), C the covariance of the batches' gradients.",
        _alignment(land, noise, run),
    )
    return Outcome((check,), (_chart(noise, fine, rate / 2),), notes)


def mini_batches(land: Landscape) -> tuple[list[Landscape], Tensor]:
    """Each batch alone, and its share of the loss terms: drawn so, its gradient is that of all data in the mean.

    Raises UnsuitableError where there are fewer than two, or f is a sum.
    """
    sizes = list[float]()

    def look(batch: BatchLoss, parameters: list[Tensor]) -> tuple[tuple[Tensor, ...], float]:
        count = float(batch.terms()[1])
        sizes.append(count)
        return (), count

    if not land.is_mean:
        raise UnsuitableError("C7 cannot be run on this target: its loss is a sum, and SGD is on means. Use a mean.")
    land.means(look)
    kept = [(one, size) for one, size in zip(land.single_batches(), sizes, strict=True) if size > 0]
    if len(kept) < 2:
        raise UnsuitableError(
            "C7 cannot be run on this target: its data are one batch, and SGD needs several to have noise. Pass the "
            "data in batches of the size that you train with; all numbers stay the same."
        )
    shares = torch.tensor([size for _, size in kept], dtype=torch.float64)
    return [one for one, _ in kept], shares / shares.sum()


def noise_of(land: Landscape, batches: list[Landscape], chosen: Tensor) -> Noise:
    """At the landscape's point: a gradient of each batch that was drawn, and a product a walker."""
    g = land.gradient()
    sums = torch.zeros(len(chosen), land.n, dtype=g.dtype, device=g.device)
    for b in sorted(set(chosen.flatten().tolist())):
        times = (chosen == b).sum(1).to(sums)
        sums.addr_(times, batches[b].gradient() - g)
    products = (hessian(land) @ sums.T).T.contiguous()
    return Noise(sums, dots(sums, products).cpu(), dots(products, products).cpu())


def excess_gains(land: Landscape, batches: list[Landscape], chosen: Tensor, rate: float) -> Tensor:
    """(walkers,) f at SGD walkers less f where plain descent is, without the part linear in what is between.

    That part has a mean of second order in t and most of the variance where the gradient is not 0.
    """
    plain = land.theta
    for _ in range(STEPS):
        plain = plain - rate * land.at(plain).gradient()
    base, slope = land.at(plain).value_and_gradient()
    found = []
    for sequence in chosen.tolist():
        x = land.theta
        for b in sequence:
            x = x - rate * batches[b].at(x).gradient()
        found.append(land.at(x).value() - base - float(dots((x - plain).unsqueeze(0), slope.unsqueeze(0))))
    return torch.tensor(found, dtype=torch.float64)


def compared(land: Landscape, noise: Noise, coarse: Tensor, fine: Tensor, rate: float) -> Check:
    """With half the rate; its higher orders are what halving it changed."""
    expected = rate**2 * STEPS / 2 * noise.trace_HC
    order = abs(float((coarse / 4 - fine).mean()))
    rounding = 64 * torch.finfo(torch.float64).eps * abs(land.value())
    return Check(
        "gain by noise = (t / 2) tr(H Σ), Σ = η × covariance of the batches' gradients",
        f"the target, {STEPS} steps of SGD",
        float(fine.mean()),
        expected,
        chance(fine - rate**2 / 2 * noise.bent, LEVEL) + order + rounding,
        f"{100 * LEVEL:g} % over {len(fine)} walkers, of whose own draws Σ is; higher orders, from twice the rate",
        resolves=abs(expected) / 2,
    )


def _alignment(land: Landscape, noise: Noise, run: Run) -> str:
    """How near C is to a multiple of H."""
    norm = squared_frobenius(land, rtol=0.1, seed=run.seed).value ** 0.5
    cosine = min(noise.trace_HC / (noise.squared_norm**0.5 * norm), 1.0)
    return f"That C is a multiple of H is an assumption: ⟨C, H⟩ / (|C|_F |H|_F) is about {cosine:.2g} here."


def _chart(noise: Noise, fine: Tensor, rate: float) -> Chart:
    x = tuple((rate**2 / 2 * noise.bent).tolist())
    ends = (min(0.0, *x), max(x))
    return Chart(
        "What the noise of mini-batches adds to the loss",
        f"One point a walker: {STEPS} steps of SGD, less plain descent from the same point. The line is equality; the "
        "mean of x is (t / 2) tr(H Σ).",
        "(1/2) noise × H × noise of the walker",
        "gain of f by noise",
        (Series("equal", ends, ends, mark="line"), Series("", x, tuple(fine.tolist()))),
    )
