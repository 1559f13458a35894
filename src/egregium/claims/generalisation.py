"""C11: how R ranks the generalisation gap over a sweep of trained networks."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from egregium.claims.claim import Claim, Outcome, Run
from egregium.results import Chart, Check, Network, Ranking, Series, Study
from egregium.results.studied import ALL, GAPS
from egregium.study import Plan, preset, study, swept

#: What is ranked beside R.
MEASURES = ("scalar_curvature", "trace", "frobenius_norm", "largest_eigenvalue", "sharpness", "weight_norm")
#: A correlation below this, and known to be, is none.
WEAK = 0.2


def _run(run: Run) -> Outcome:
    plan = replace(preset(run.pick("tiny", "digits")), measures=MEASURES)
    moved = tuple(replace(each, seed=each.seed + 1000 * run.seed) for each in plan.settings)
    keys = {old.key: new.key for old, new in zip(plan.settings, moved, strict=True)}
    sweeps = {name: tuple(keys[key] for key in members) for name, members in plan.sweeps.items()}
    plan = replace(plan, settings=moved, sweeps=sweeps)
    found = study(plan, _networks(plan, run))
    checks = tuple(_check(each, plan) for each in found.rankings if each.measure == MEASURES[0] and each.group == ALL)
    return Outcome(checks, (_taus(found), _scatter(found)), found.findings)


def _networks(plan: Plan, run: Run) -> list[Network]:
    with TemporaryDirectory() as folder:

        def heard(network: Network | None, done: int, planned: int) -> bool:
            run.advance(f"{done} of {planned} networks", done / planned)
            return True

        return swept(plan, Path(folder) / "networks.jsonl", heard=heard)


def _check(ranking: Ranking, plan: Plan) -> Check:
    """tau apart from 0: not where its interval has 0 in it and is narrow, undecided where that is wide."""
    tau = ranking.tau
    half = max(tau.high - tau.value, tau.value - tau.low)
    return Check(
        f"Kendall's τ of R and the {GAPS[ranking.gap]} ≠ 0",
        f"{ranking.networks} networks on {plan.data}, trained to a loss of {plan.loss:g}",
        tau.value,
        0.0,
        half if math.isfinite(half) else math.nan,
        f"95 % interval by a bootstrap over settings; wider than τ and than {WEAK:g}, it decides nothing",
        "differs from",
        resolves=max(0.999 * abs(tau.value), WEAK),
    )


def _taus(found: Study) -> Chart:
    ranked = {gap: [each for each in found.rankings if each.gap == gap and each.group == ALL] for gap in GAPS}
    return Chart(
        "Kendall's τ of each measure with the generalisation gap",
        f"From left to right: {', '.join(found.measures[name] for name in MEASURES)}. Networks, data and seeds are "
        "fixed; the whiskers are 95 % intervals by a bootstrap over settings.",
        "measure",
        "Kendall's τ",
        tuple(_series(GAPS[gap], rankings, 0.1 * i) for i, (gap, rankings) in enumerate(ranked.items())),
    )


def _series(name: str, rankings: Sequence[Ranking], aside: float) -> Series:
    widths = tuple(max(each.tau.high - each.tau.value, each.tau.value - each.tau.low) for each in rankings)
    places = tuple(1 + i + aside for i in range(len(rankings)))
    return Series(name, places, tuple(each.tau.value for each in rankings), widths)


def _scatter(found: Study) -> Chart:
    R = tuple(each.numbers[MEASURES[0]] for each in found.trained)
    gap = tuple(each.numbers["error_gap"] for each in found.trained)
    return Chart(
        "The gap in error against R",
        f"A dot a network, trained to a common loss; {found.findings[0]}",
        "R",
        "test error − training error",
        (Series("", R, gap),),
        x_scale="log" if min(R, default=0.0) > 0 else "linear",
    )


CLAIM = Claim(
    id="C11",
    title="R ranks the generalisation gap",
    statement=(
        "Over networks trained to one loss, R ranks the generalisation gap: Kendall's τ(R, gap) ≠ 0. That flat minima "
        "generalise better says τ > 0; which sign it has, the findings tell."
    ),
    source="the hypothesis behind arXiv 2307.04719; ranked as in Y. Jiang et al., arXiv 1912.02178",
    condition=(
        "None is known: arXiv 2302.07011 found sharpness of either sign, following the learning rate more than the "
        "gap. These are tiny networks; the study of 164 networks on Fashion-MNIST is `egregium study`."
    ),
    simulated=(
        "A full factorial of training settings on digits; every network trained to the same loss, R and other measures "
        "there, and Kendall's τ with test minus training error and loss."
    ),
    run=_run,
    refusal="one landscape is one network; `egregium study --config FILE` ranks networks of your own.",
)
