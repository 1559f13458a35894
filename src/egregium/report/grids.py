"""Tables of a study: rankings, tau by hyper-parameter, every network, how many there are, and where they are from."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from egregium.report.claims import seconds
from egregium.report.typeset import typeset
from egregium.results import Between, Network, Ranking, Study
from egregium.results.estimate import rounded
from egregium.results.studied import GAPS, STATUSES, in_words, ranked

#: The measure that stands out.
R = "scalar_curvature"
#: What is not known.
NONE = Markup("–")
#: Numbers of a network in the table, with their headings.
NUMBERS = {
    **GAPS,
    R: "R",
    "trace": "tr H",
    "largest_eigenvalue": "λ_max",
    "train_error": "train error",
    "test_error": "test error",
    "train_loss": "train loss",
    "test_loss": "test loss",
}
#: Kinds of machines, data or code that are listed; of more the commonest.
MOST_KINDS = 12


@dataclass(frozen=True)
class Line:
    """A row: what heads it, with a note, and its cells."""

    head: Markup
    note: Markup
    cells: tuple[Markup, ...]
    strong: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: its caption, the headings of its columns, whether these but the first hold numbers, and its rows."""

    key: str
    caption: Markup
    columns: tuple[Markup, ...]
    numbers: tuple[bool, ...]
    lines: tuple[Line, ...]


def rankings(study: Study, group: str, gap: str, key: str) -> Grid:
    """How each measure ranks a gap in a group, the largest tau first."""
    lines = []
    for each in ranked(study, gap, group):
        found = (each.tau, each.granulated, each.against_trace, each.beyond_trace)
        lines.append(_of_measure(study, each, (*map(between, found), escape(f"{each.networks:,}"))))
    trace = "tr\N{NO-BREAK SPACE}H"
    heads = _heads(("measure", "tau", "Psi", f"tau less that of {trace}", f"partial, given {trace}", "networks"))
    return Grid(key, _caption(gap, "ranked"), heads, (True,) * 5, tuple(lines))


def by_hyper_parameter(study: Study, group: str, gap: str, key: str) -> Grid | None:
    """Tau among networks that differ in one hyper-parameter alone; None where there are none."""
    known = ranked(study, gap, group)
    names = list(dict.fromkeys(name for each in known for name in each.by))
    if not names:
        return None
    lines = [
        _of_measure(study, each, (*(between(each.by.get(name)) for name in names), between(each.granulated)))
        for each in known
    ]
    heads = (Markup("measure"), *map(escape, map(in_words, names)), Markup("Psi, their mean"))
    return Grid(key, _caption(gap, "within each hyper-parameter"), heads, (True,) * (len(names) + 1), tuple(lines))


def _of_measure(study: Study, each: Ranking, cells: tuple[Markup, ...]) -> Line:
    meaning = study.measures.get(each.measure, "")
    return Line(escape(in_words(each.measure)), typeset(meaning), cells, each.measure == R)


def _caption(gap: str, how: str) -> Markup:
    name = GAPS.get(gap, gap)
    return Markup("{}, {}").format(name[:1].upper() + name[1:], how)


def _heads(names: Sequence[str]) -> tuple[Markup, ...]:
    return tuple(map(typeset, names))


def between(found: Between | None) -> Markup:
    """A number with its interval, "–" where it is not known."""
    if found is None or not math.isfinite(found.value):
        return NONE
    value, _, interval = str(found).partition(" ")
    known = interval if math.isfinite(found.high - found.low) else "no interval"
    return Markup('{}<small class="note">{}</small>').format(typeset(value), typeset(known))


def networks(study: Study, key: str) -> Grid:
    """All networks in the order of the plan: in what they differ, what became of them, and their numbers."""
    varied, _ = settings(study)
    names = [name for name in NUMBERS if any(name in one.numbers for one in study.networks)]
    lines = []
    for i, one in enumerate(study.networks, 1):
        cells = [_level(one.setting.get(name)) for name in varied]
        cells += [escape(one.status), *(_number(one, name) for name in names), escape(seconds(one.seconds))]
        lines.append(Line(escape(str(i)), Markup(""), tuple(cells)))
    heads = ("No.", *map(in_words, varied), "status", *(NUMBERS[name] for name in names), "time")
    levels = [all(not isinstance(one.setting.get(name), str) for one in study.networks) for name in varied]
    caption = Markup("All networks, in the order of the plan; ± is half of the 95 % interval over random probes")
    return Grid(key, caption, _heads(heads), (*levels, False, *(True for _ in names), True), tuple(lines))


def settings(study: Study) -> tuple[list[str], list[tuple[Markup, Markup]]]:
    """Hyper-parameters in which networks differ, and the level of each of the others."""
    names = list(dict.fromkeys(name for one in study.networks for name in one.setting))
    found = {name: list(dict.fromkeys(one.setting.get(name) for one in study.networks)) for name in names}
    common = [(escape(in_words(name)), _level(some[0])) for name, some in found.items() if len(some) == 1]
    return [name for name in names if len(found[name]) > 1], common


def _level(level: str | int | float | None) -> Markup:
    if level is None:
        return NONE
    return escape(level) if isinstance(level, str) else typeset(f"{level:g}")


def _number(one: Network, name: str) -> Markup:
    value, half = one.numbers.get(name, math.nan), one.half_widths.get(name, 0.0)
    if math.isnan(value):
        return NONE
    if not math.isfinite(value) or not 0 < half < math.inf:
        return typeset(f"{value:.4g}")
    return typeset(rounded(value, half))


def counts(study: Study) -> list[tuple[str, int, str]]:
    """How many networks are in which state, and what that means; those still to be trained last."""
    found = Counter(one.status for one in study.networks)
    known = [(status, found[status], meaning) for status, meaning in STATUSES.items()]
    missing = max(study.planned - len(study.networks), 0)
    return [*known, ("still to be trained", missing, "the same command goes on" if missing else "")]


def reasons(study: Study) -> list[tuple[str, str]]:
    """Why networks could not be measured: which, by their numbers in the table, and the sentence."""
    found: dict[str, list[str]] = {}
    for i, one in enumerate(study.networks, 1):
        if one.reason:
            found.setdefault(one.reason, []).append(str(i))
    return [(f"No. {', '.join(numbers)}", reason) for reason, numbers in found.items()]


def origins(study: Study) -> list[tuple[str, list[Markup]]]:
    """Data, code, devices and versions by name, with how many networks are of each; and the time of all."""
    known = study.networks
    kinds = {
        "Training data, by their digest": [one.data for one in known],
        "Code, version and digest": [one.code for one in known],
        "Device": [f"{one.environment.device} ({one.environment.device_name})" for one in known],
        "Versions": [
            f"torch {one.environment.torch}, numpy {one.environment.numpy}, Python {one.environment.python}"
            for one in known
        ],
    }
    made = [(name, _kinds(of)) for name, of in kinds.items() if of]
    time, training = sum(one.seconds for one in known), sum(one.training_seconds for one in known)
    said = f"{seconds(time)}, {seconds(training)} of them for training, added up over the networks"
    return [*made, ("Time of all", [escape(said)])] if known else []


def _kinds(of: Sequence[str]) -> list[Markup]:
    """Each with how many networks are of it, where there are several."""
    found = Counter(of).most_common()
    if len(found) == 1:
        return [escape(found[0][0])]
    said = [Markup("{} <small>({:,})</small>").format(kind, count) for kind, count in found[:MOST_KINDS]]
    rest = found[MOST_KINDS:]
    return said + ([escape(f"and {len(rest)} others ({sum(n for _, n in rest):,})")] if rest else [])
