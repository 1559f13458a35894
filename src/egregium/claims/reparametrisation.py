"""C10: rescaling a ReLU network's layers changes R and not the function; as a scalar field R is left by it."""

from collections.abc import Sequence

import torch
from torch import nn

from egregium.claims.claim import Claim, Outcome, Run
from egregium.claims.coordinates import curvature, point_of
from egregium.claims.digit_classifiers import DECAY, digit_classifier
from egregium.claims.reparametrisation_charts import measures_chart, sign_chart
from egregium.claims.reparametrisation_surfaces import (
    OTHER,
    sign_checks,
    small_network_checks,
    surface_checks,
    unit_checks,
)
from egregium.claims.reparametrisation_target import on_target
from egregium.claims.rescaled_network import (
    MOVED,
    ROUNDING,
    WHY,
    WHY_MOVED,
    curvature_checks,
    function_checks,
    graph_curvature,
    measure_checks,
    neuron_checks,
    normalised_checks,
    normalised_curvatures,
    rescaled,
)
from egregium.claims.rescaling import Pair, change, pairs_of, rescaling
from egregium.landscape import Landscape
from egregium.results import Chart, Check

#: Factors, 1 first. With powers of two all numbers would be the same bit for bit.
QUICK = (1.0, 1 / 8, 3.0, 1 / 3, 8.0)
FULL = (1.0, *(2 ** (k / 2) for k in (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)))
#: Parameters at initialisation are made this much smaller, so that negative terms prevail in R.
SMALLER = 0.3
NOTES = (
    "H of a ReLU network is the Hessian almost everywhere: curvature on the kinks is in neither side of a comparison.",
    "The sign of R can change only where H is indefinite: where H ≥ 0 so is A⁻¹ H A⁻¹, and R ≥ 0 at every α.",
    "Normalising by tensor or by filter answers to one factor a layer. Neurons rescaled one by one are columns of the "
    "next layer's weight, and leave R alone only where each number is normalised by itself.",
)


def _run(run: Run) -> Outcome:
    generator = torch.Generator().manual_seed(run.seed)
    factors = run.pick(QUICK, FULL)
    checks = surface_checks(generator) + unit_checks(factors)
    run.advance("networks of 23 parameters", 0.05)
    checks += small_network_checks(run.seed, generator)
    charts = list[Chart]()
    for hidden in run.pick(((8,),), ((16,), (12, 12))):
        land = digit_classifier("relu", hidden, seed=run.seed)
        for pair in pairs_of(land):
            run.advance(f"a trained network of {len(hidden) + 1} layers, {pair.words}", 0.1)
            found, chart = _trained(land, pair, run, generator)
            checks += found
            charts += [chart] if not charts else []
    run.advance("an untrained network", 0.8)
    land = digit_classifier("relu", run.pick((8,), (16,)), seed=run.seed, untrained=SMALLER)
    found, chart = _untrained(land, factors)
    run.advance("a network that is not homogeneous", 0.95)
    smooth = digit_classifier("tanh", run.pick((8,), (16,)), seed=run.seed)
    return Outcome((*checks, *found, *smooth_checks(smooth, factors)), (*charts, chart), NOTES)


def _trained(land: Landscape, pair: Pair, run: Run, generator: torch.Generator) -> tuple[list[Check], Chart]:
    """All comparisons on a trained ReLU network; the dear ones at few factors in quick."""
    path = rescaled(land, pair, run.pick(QUICK, FULL))
    few = path[: run.pick(3, len(path))]
    subject = f"trained ReLU network of {len(land.shapes) // 2} layers on digits, {pair.words}"
    normalised = normalised_curvatures(few)
    checks = [
        *function_checks(subject, path),
        *curvature_checks(subject, path, few[1:]),
        *measure_checks(subject, path),
        *normalised_checks(subject, few, normalised),
        *neuron_checks(subject, land, pair, generator),
        decay_check(subject, land, few[1].A),
    ]
    return checks, measures_chart(path, pair, few, normalised["filter"])


def decay_check(subject: str, land: Landscape, A: torch.Tensor) -> Check:
    """Outside: a penalty on theta is no function of the network."""
    assert land.model is not None
    penalised = Landscape(land.model, nn.CrossEntropyLoss(), land.data, weight_decay=DECAY)
    loss = change(penalised, penalised.at(A * penalised.theta)).loss
    what = "with weight decay: relative change of f"
    return Check(what, subject, loss, 0.0, MOVED, WHY_MOVED, "differs from", outside=True)


def _untrained(land: Landscape, factors: Sequence[float]) -> tuple[list[Check], Chart]:
    """Far from a minimum, with a gradient that counts, and with both signs of R."""
    (pair,) = pairs_of(land)
    path = rescaled(land, pair, factors)
    subject = "untrained ReLU network on digits"
    beside = {at.a: curvature(at.point) for at in path}
    checks = [*function_checks(subject, path), *curvature_checks(subject, path, path[1:3])]
    rounding = ROUNDING * max(R.size for R in beside.values())
    checks += sign_checks(subject, {a: R.value for a, R in beside.items()}, rounding)
    return checks, sign_chart(path, pair)


def smooth_checks(land: Landscape, factors: Sequence[float]) -> list[Check]:
    """A tanh network: rescaling layers does not leave it (outside), other coordinates of its loss leave R."""
    pair, subject = Pair("0.weight", "0.bias", "2.weight"), "trained tanh network on digits"
    least = min(change(land, land.at(rescaling(land, pair, a) * land.theta)).largest for a in factors[1:])
    said = ("rescaled layers: least relative change of f and outputs", subject, least, 0.0, MOVED, WHY_MOVED)
    R, x = graph_curvature(land), land.normalised("tensor")
    found = point_of(x)
    pulled_back, over = curvature(found, 1 / x.norms), curvature(found)
    size = pulled_back.size
    what = "R in the metric A⁻² + g gᵀ, v = θ over the norms of tensors = R of the original"
    return [
        Check(*said, relation="differs from", outside=True),
        Check(what, subject, pulled_back.value, R, ROUNDING * size, WHY, resolves=MOVED * size),
        Check(OTHER, subject, over.value, R, MOVED * abs(R), WHY_MOVED, "differs from"),
    ]


CLAIM = Claim(
    id="C10",
    title="Rescaling a ReLU network's layers changes R, and not the function",
    statement=(
        "Wₗ, bₗ → α Wₗ, α bₗ with Wₗ₊₁ → Wₗ₊₁ / α, v = A θ, leaves a ReLU network's function, and changes "
        "g → A⁻¹ g, H → A⁻¹ H A⁻¹ and with them the R of the graph, even its sign. With the metric pulled back, "
        "A⁻² + g gᵀ in coordinates v, R as a scalar field is unchanged; so is R in normalised coordinates, whose "
        "metric moves with A."
    ),
    source="Dinh, Pascanu, Bengio, Bengio, arXiv 1703.04933; do Carmo, Riemannian Geometry, chapters 4, 6",
    condition=(
        "Only positively homogeneous modules lie between the two layers, and the loss has no penalty on θ. That R in "
        "the metric pulled back is unchanged needs neither: it holds for f(A⁻¹v) of any smooth f. R changes its sign "
        "only where H is indefinite."
    ),
    simulated=(
        "The same function at θ and at A θ, α from 1/8 to 8: a ReLU unit with R in closed form, a ReLU network trained "
        "on digits and an untrained one with small weights, g and H found anew at each α. R in other metrics by their "
        "derivatives (surfaces, and networks of 23 parameters) and by Gauss's equation (networks). Outside the "
        "condition: a tanh network, weight decay, neurons rescaled one by one, a minimum."
    ),
    run=_run,
    on_target=on_target,
    simulated_on_target="Two of the target's layers rescaled by 1/2 and by 2; products and measures before and after.",
)
