"""What a study says in plain words, whichever way it came out."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from egregium.results import Between, Network, Ranking
from egregium.results.studied import ALL, GAPS, LEFT_OUT, in_words
from egregium.study.networks import ARCHITECTURES
from egregium.study.plan import Plan

#: A partial correlation that measures with the order of the trace and noise of their own reach (stats.ranking).
CHANCE = 0.25
#: Networks left out from which on it is asked what they share; the share of the others that makes a level usual.
FEWEST, USUAL = 2, 2 / 3
#: Median half-width over the value from which on a measure is called coarse.
COARSE = 0.05
#: An interval of a correlation that reaches so far on both sides says nothing.
NEARLY = 0.95
UNKNOWN = "that cannot be told from chance"
SAME = "both order these networks alike"
#: What M. Andriushchenko et al. found, and in what they looked.
OTHERS = (
    "M. Andriushchenko et al. (arXiv 2302.07011), on ImageNet, CIFAR-10 and fine-tuned transformers, found that "
    "sharpness does not correlate well with generalisation, but with training parameters such as the learning rate."
)


def findings(networks: Sequence[Network], planned: int, rankings: Sequence[Ranking]) -> tuple[str, ...]:
    """How many networks count; how R ranks each gap; against the trace and beyond it; within hyper-parameters."""
    said = [_counted(networks, planned), *_in_common(networks)]
    for gap in GAPS:
        of_all = {each.measure: each for each in rankings if each.gap == gap and each.group == ALL}
        if "scalar_curvature" in of_all:
            said += _of_gap(gap, of_all)
    return (*said, *_compared(rankings))


def _counted(networks: Sequence[Network], planned: int) -> str:
    statuses = Counter(each.status for each in networks)
    left_out = [f"{word} ({statuses[status]})" for status, word in LEFT_OUT.items() if statuses[status]]
    missing = planned - len(networks)
    advice = "" if statuses["trained"] else _advice(statuses)
    rest = f"; left out are those that {', '.join(left_out)}" if left_out else ""
    waits = f"; {missing} {'is' if missing == 1 else 'are'} still to be trained" if missing else ""
    return f"{statuses['trained']} of {planned} networks count{rest}{waits}.{advice}"


def _in_common(networks: Sequence[Network]) -> list[str]:
    """Levels that all that are left out share, and that those that count do not: they are missing from what is said."""
    counted, left = ([one for one in networks if (one.status == "trained") is yes] for yes in (True, False))
    if len(left) < FEWEST or not counted:
        return []
    shared = []
    for name, level in left[0].setting.items():
        usual = sum(one.setting[name] == level for one in counted) / len(counted)
        if name != "seed" and usual < USUAL and all(one.setting[name] == level for one in left):
            shared.append(f"{in_words(name)} {level}")
    return [f"All that are left out have {', '.join(shared)}: the rest speaks for these less."] if shared else []


def _advice(statuses: Mapping[str, int]) -> str:
    """What to do where no network counts."""
    if statuses["diverged"]:
        return " Lower the learning rates."
    return " Raise the loss, the epochs or the learning rates." if statuses["not reached"] else ""


def _of_gap(gap: str, of_all: Mapping[str, Ranking]) -> list[str]:
    R, what = of_all["scalar_curvature"], f"the {GAPS[gap]}"
    said = [
        f"Over {R.networks} networks R ranks {what} with Kendall's tau {R.tau}: "
        f"{_direction(R.tau, 'larger R goes with a larger gap', 'larger R goes with a smaller gap', UNKNOWN)}."
    ]
    known = [each for each in of_all.values() if not math.isnan(each.tau.value)]
    order = sorted(known, key=lambda each: -abs(each.tau.value))
    if R not in order:
        return said
    said.append(
        f"Of {len(order)} measures those with the largest |tau| for {what} are "
        + ", ".join(f"{_name(each.measure)} {each.tau}" for each in order[:3])
        + f"; R is number {1 + order.index(R)}. Where intervals overlap the order may be chance."
    )
    if R.granulated is not None and R.by:
        within = ", ".join(f"{in_words(name)} {value}" for name, value in R.by.items())
        chance = "whether R follows the gap cannot be told from chance"
        told = _direction(R.granulated, "R follows the gap", "R goes against the gap", chance)
        said.append(f"Among networks that differ in one hyper-parameter alone (Psi {R.granulated}), {told}: {within}.")
    if R.against_trace is not None:
        said.append(f"Its tau less that of tr H is {R.against_trace}: {_against(R.tau, R.against_trace)}.")
    if R.beyond_trace is not None:
        told = _beyond(R.beyond_trace)
        said.append(f"Given tr H, the partial correlation of R and {what} is {R.beyond_trace}: {told}.")
    return said


def _direction(found: Between, up: str, down: str, unknown: str) -> str:
    if math.isnan(found.low):
        return "nothing tells its error"
    if found.low > 0:
        return up
    return down if found.high < 0 else unknown


def _against(tau: Between, less: Between) -> str:
    """What the difference of two taus means depends on which side of 0 they are."""
    if less.low == less.high == 0:
        return SAME
    if tau.low > 0:
        more = "it goes with the gap more than the trace does"
        fewer = "it goes with the gap less than the trace does"
    elif tau.high < 0:
        more = "it goes against the gap less than the trace does"
        fewer = "it goes against the gap more than the trace does"
    else:
        more, fewer = "its tau is the larger, though not far from 0", "its tau is the smaller, and not far from 0"
    return _direction(less, more, fewer, UNKNOWN)


def _beyond(found: Between) -> str:
    if math.isnan(found.value):
        return f"{SAME}, and nothing is left to be said beyond it"
    if found.low < -NEARLY and found.high > NEARLY:
        return "R and tr H order these networks so nearly alike that this is not known"
    if not (found.low > 0 or found.high < 0):
        return "R says nothing beyond the trace that could be told from chance"
    if min(abs(found.low), abs(found.high)) <= CHANCE:
        return f"up to about {CHANCE} comes about without any such thing, so that R need not say more than the trace"
    return "R says something that the trace does not"


def _compared(rankings: Sequence[Ranking]) -> list[str]:
    """The found beside what others found: overall, and by the learning rate."""
    sharp = {
        each.measure: each
        for each in rankings
        if each.gap == "error_gap" and each.group == ALL and each.measure in ("sharpness", "adaptive_sharpness")
    }
    if not sharp:
        return []
    overall = " and ".join(f"{_name(name)} {each.tau}" for name, each in sharp.items())
    by = [(name, each.by["learning_rate"]) for name, each in sharp.items() if "learning_rate" in each.by]
    rate = "; where the learning rate alone differs " + " and ".join(f"{_name(n)} {v}" for n, v in by) if by else ""
    return [f"{OTHERS} Here tau with the gap in error is {overall}{rate}."]


def _name(measure: str) -> str:
    return "R" if measure == "scalar_curvature" else in_words(measure)


def limits(plan: Plan, networks: Sequence[Network]) -> tuple[str, ...]:
    """What the numbers do not say."""
    ours = all(each.architecture in ARCHITECTURES for each in plan.settings)
    which = "small networks without normalisation layers" if ours else "a few architectures"
    return (
        f"One data set ({plan.data}), {which}, all at the first passage of a cross-entropy of {plan.loss:g}: other "
        "data, sizes and levels may order otherwise.",
        "Every hyper-parameter has few levels; which are chosen decides how much each of them counts in tau.",
        "Intervals draw settings with replacement, both seeds of a setting together: they speak of other settings like "
        "these, not of other data, and 1 in 20 of them misses; there are many of them here.",
        "A correlation over trainings is no cause. Sharpness by ascent is a lower bound of the worst rise.",
        "The measures of a ReLU network leave out the curvature on its kinks.",
        *_precision(networks),
    )


def _precision(networks: Sequence[Network]) -> list[str]:
    """Which measures are known least well: noise of their own takes their tau towards 0."""
    wide = dict[str, float]()
    for name in dict.fromkeys(name for one in networks for name in one.half_widths):
        known = ((one.half_widths.get(name, 0.0), abs(one.numbers[name])) for one in networks if name in one.numbers)
        shares = [half / size for half, size in known if half > 0 and size > 0]  # of 0 there is no share
        if shares and median(shares) > COARSE:
            wide[name] = median(shares)
    if not wide:
        return []
    each = ", ".join(f"{_name(name)} {100 * share:.0f} %" for name, share in sorted(wide.items(), key=lambda x: -x[1]))
    return [f"Some measures are sampled coarsely (median half-width of their intervals: {each}), which takes tau to 0."]
