"""C9 on a landscape of the user's own: R from pairs of its mini-batches, at any n, by shared probes."""

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.claims.claim import Outcome, Run
from egregium.claims.pairs import sum_over_pairs
from egregium.claims.shared_probes import PROBES, Batches, Probed, batches_of, sketched, traces_of
from egregium.curvature import hessian
from egregium.errors import UnsuitableError
from egregium.estimators import gauss_statistic
from egregium.landscape import Landscape
from egregium.measurement import batch_curvatures
from egregium.measurement.turn import Turn, turn_of
from egregium.results import BatchCurvatures, Chart, Check, Estimate, Series

#: Level of the intervals.
CONFIDENCE = 0.999
#: Roundings of the dtype that a product may be off by.
ROUNDINGS = 64
#: Departure that the sum over pairs has to see, as a share of beta ((tr H)^2 + |H|_F^2); the width it is taken to.
SEEN, WANTED = 0.15, 0.03
#: Probes at a time.
STEP = 16
SUBJECT = "the target"


def on_target(land: Landscape, run: Run) -> Outcome:
    """The batches add up to the whole; and R by pairs of them is R of the mean loss, by other probes.

    Raises UnsuitableError where the loss is no mean over two batches or more, or H is 0 there.
    """
    batches = batches_of(land.fixed())
    run.advance("products of single batches", 0.0)
    check, turn = _added_up(batches, run)
    probed = _probed(batches, turn, run)
    run.advance("R of single batches", 0.5)
    single = batch_curvatures(batches.land, rtol=run.pick(0.1, 0.03), confidence=CONFIDENCE, seed=run.seed)
    g, weights, pairs = batches.frame.gradient, batches.weights, probed.pairs()
    images = next(batches.images(g.unsqueeze(0))).double()
    R = sum_over_pairs(weights, pairs, probed.means, g.double(), images)
    own = turn.beta * float(weights**2 @ pairs.diagonal())
    note = (
        f"Of R, {own:.3g} is from pairs of a batch with itself, β Σ w_b² T(H_b, H_b), and {R - own:.3g} from all else "
        f"({len(probed.inner)} probes)."
    )
    checks = check, _of_curvature(R, probed, weights, turn, single.whole)
    return Outcome(checks, (_chart(probed, single),), (note,))


def _added_up(batches: Batches, run: Run) -> tuple[Check, Turn]:
    """Products of the batches, by their weights, against those of the whole: along g and random vectors."""
    g = batches.frame.gradient
    V = torch.cat([g.unsqueeze(0), batches.signs(0, 3, seed=run.seed, stream=PROBES)])
    whole = (hessian(batches.land) @ V.T).T.double()
    added, equally, sizes = torch.zeros_like(whole), torch.zeros_like(whole), 0.0
    for w, single in zip(batches.weights.tolist(), batches.singles, strict=True):
        image = (hessian(single) @ V.T).T.double()
        added.add_(image, alpha=w)
        equally.add_(image, alpha=1 / len(batches.singles))
        sizes += w * float(image.norm())
    size = float(whole.norm())
    if not size:
        raise UnsuitableError("C9 cannot be run on this target: its Hessian is 0 here, and so is every part of R.")
    off, off_equal = (float((image - whole).norm()) / size for image in (added, equally))
    tolerance = ROUNDINGS * torch.finfo(batches.land.dtype).eps * sizes / size
    check = Check(
        "|Σ w_b H_b V − H V| / |H V| = 0, w_b a batch's share of the loss terms",
        SUBJECT,
        off,
        0.0,
        tolerance,
        f"rounding in {batches.land.dtype}",
        resolves=off_equal / 2 if off_equal > 2 * tolerance else 0.0,  # batches of one size: nothing to tell apart
    )
    return check, turn_of(batches.frame, whole[0].to(g.dtype))


def _probed(batches: Batches, turn: Turn, run: Run) -> Probed:
    """Probes until R by pairs is known to WANTED, or there are enough of them."""
    traces = traces_of(batches, run.pick(0.01, 0.003), run.seed)
    sketch, most = sketched(batches, run.pick(16, 48), run.seed), run.pick(64, 512)
    samples = list[Tensor]()
    for first in range(0, most, STEP):
        run.advance(f"{first} probes of {len(batches.singles)} batches", 0.1 + 0.4 * first / most)
        samples.append(sketch.samples(batches, first, STEP, run.seed))
        probed = Probed(traces, torch.cat(samples))
        e = _estimate(probed, batches.weights, turn)
        if e.half_width() <= WANTED * abs(e.value):
            break
    return probed


def _estimate(probed: Probed, weights: Float[Tensor, " B"], turn: Turn) -> Estimate:
    """R of the mean loss, by the probes that all batches share."""

    def curvature(t: Tensor, t2: Tensor, F: Tensor) -> Tensor:
        return turn.beta * (t2 - F) + 2 * turn.beta**2 * (turn.q - t * turn.p)

    return probed.moments(weights).estimate(curvature, confidence=CONFIDENCE)


def _of_curvature(R: float, probed: Probed, weights: Float[Tensor, " B"], turn: Turn, whole: Estimate) -> Check:
    moments = probed.moments(weights)
    size = turn.beta * float((weights @ probed.means) ** 2 + moments.squares.mean())
    return Check(
        "R by pairs of batches, probes shared = R of the mean loss, by other probes",
        SUBJECT,
        R,
        whole.value,
        _estimate(probed, weights, turn).half_width() + whole.half_width(),
        f"intervals at {100 * CONFIDENCE:g} % of both sides",
        resolves=SEEN * size,
    )


def _chart(probed: Probed, single: BatchCurvatures) -> Chart:
    B, R = len(single.values), single.whole.value
    x, only = tuple(float(b) for b in range(B)), torch.eye(B, dtype=torch.float64, device=probed.inner.device)
    at_rest = [probed.moments(only[b]).estimate(gauss_statistic, confidence=CONFIDENCE) for b in range(B)]
    return Chart(
        "R from one mini-batch to the next",
        "Each batch's own loss at this point: its R, and T(H_b, H_b) = (tr H_b)² − |H_b|²_F, which is R where the "
        f"batch's gradient is 0. The probes were sampled; intervals at {100 * CONFIDENCE:g} %.",
        "batch, counted from 0",
        "curvature",
        (
            Series("R of the mean loss", (0.0, float(B - 1)), (R, R), mark="line"),
            Series("R of the batch", x, tuple(single.values.tolist()), tuple(single.half_widths.tolist())),
            Series("T(H_b, H_b)", x, tuple(e.value for e in at_rest), tuple(e.half_width() for e in at_rest)),
        ),
    )
