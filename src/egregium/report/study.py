"""A study of generalisation as a page shows it: what came out, pictures, rankings, limits, and every network."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from egregium.report.collection import Collection
from egregium.report.grids import Grid, by_hyper_parameter, counts, networks, origins, rankings, reasons, settings
from egregium.report.pictures import Plate, plate
from egregium.report.summary import Card
from egregium.report.typeset import typeset
from egregium.results import Between, Ranking, Study
from egregium.results.studied import GAPS, group_in_words, groups, in_words, main_group, ranked
from egregium.viz import Picture, granulated_figure, scatter_figure, sweep_figures, tau_figure

#: The measure that the library is about, and the one it is compared with.
R = "scalar_curvature"


@dataclass(frozen=True)
class Part:
    """Pictures under one heading."""

    heading: str
    plates: tuple[Plate, ...]


@dataclass(frozen=True)
class Group:
    """The tables of one group of networks."""

    key: str
    heading: Markup
    grids: tuple[Grid, ...]


@dataclass(frozen=True)
class Studied:
    """A study with its key in the page; `where` is empty where it is the only one."""

    key: str
    where: str
    findings: tuple[Markup, ...]
    limits: tuple[Markup, ...]
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]
    plan: tuple[tuple[Markup, Markup, Markup], ...]
    counts: tuple[tuple[str, int, str], ...]
    common: tuple[tuple[Markup, Markup], ...]
    origins: tuple[tuple[str, list[Markup]], ...]
    reasons: tuple[tuple[str, str], ...]
    networks: Grid | None


def studies(found: Collection) -> list[Studied]:
    """Every study of the collection."""
    known = found.of(Study)
    return [_studied(study, name if len(known) > 1 else "", f"study-{i}") for i, (name, study) in enumerate(known, 1)]


def lede(found: Collection) -> Markup | None:
    """How many networks count; None unless there is one study and nothing else."""
    known = [study for _, study in found.of(Study)]
    if len(known) != 1 or len(found.documents) > 1 or not known[0].findings:
        return None
    return _said(known[0], known[0].findings[0])


def study_cards(found: Collection) -> list[Card]:
    """How R ranks each gap over the networks of each study."""
    known = found.of(Study)
    return [card for name, study in known for card in _cards(study, f"{name} · " if len(found.documents) > 1 else "")]


def _cards(study: Study, where: str) -> Iterator[Card]:
    for gap, name in GAPS.items():
        for each in ranked(study, gap, main_group(study)):
            if each.measure == R and each.tau.value == each.tau.value:
                value, _, interval = str(each.tau).partition(" ")
                over = f"{100 * study.confidence:g} % interval over settings, from {each.networks:,} networks"
                yield Card(
                    f"{where}R and the {name}",
                    typeset("tau"),
                    typeset(value),
                    typeset(interval),
                    typeset(over),
                    typeset(_direction(each.tau, name)),
                    typeset(_beside(each)),
                )


def _direction(tau: Between, name: str) -> str:
    if tau.low > 0:
        return f"Networks of larger R have the larger {name}."
    if tau.high < 0:
        return f"Networks of larger R have the smaller {name}."
    return f"Whether R goes with the {name} or against it cannot be told from chance."


def _beside(each: Ranking) -> str:
    beside = {
        "Psi, tau where one hyper-parameter alone differs": each.granulated,
        "Tau of R less tau of tr H": each.against_trace,
        "Partial correlation of R and the gap given tr H": each.beyond_trace,
    }
    return " ".join(f"{what}: {found}." for what, found in beside.items() if found is not None)


def _studied(study: Study, where: str, key: str) -> Studied:
    _, common = settings(study)
    return Studied(
        key=key,
        where=where,
        findings=tuple(_said(study, text) for text in study.findings),
        limits=tuple(_said(study, text) for text in study.limits),
        parts=tuple(_parts(study, key)),
        groups=tuple(_groups(study, key)),
        plan=tuple((escape(row.name), _said(study, row.value), _said(study, row.meaning)) for row in study.plan),
        counts=tuple(counts(study)),
        common=tuple(common) if len(study.networks) > 1 else (),
        origins=tuple(origins(study)),
        reasons=tuple(reasons(study)),
        networks=networks(study, f"{key}-networks") if study.networks else None,
    )


def _parts(study: Study, key: str) -> Iterator[Part]:
    for gap, name in GAPS.items():
        drawn = (tau_figure(study, gap), granulated_figure(study, gap), scatter_figure(study, R, gap))
        pictures = [picture for picture in drawn if picture is not None]
        if pictures:
            yield Part(f"The {name}", _plates(pictures, f"{key}-{gap.replace('_', '-')}"))
    if pictures := sweep_figures(study):
        yield Part("One hyper-parameter at a time", _plates(pictures, f"{key}-sweep"))


def _plates(pictures: list[Picture], key: str) -> tuple[Plate, ...]:
    return tuple(plate(picture, "", f"{key}-{i}") for i, picture in enumerate(pictures, 1))


def _groups(study: Study, key: str) -> Iterator[Group]:
    for i, group in enumerate(groups(study), 1):
        grids: list[Grid] = []
        for gap in GAPS:
            if ranked(study, gap, group):
                grids.append(rankings(study, group, gap, f"{key}-rank-{i}-{gap.replace('_', '-')}"))
        for gap in GAPS:
            if (within := by_hyper_parameter(study, group, gap, f"{key}-by-{i}-{gap.replace('_', '-')}")) is not None:
                grids.append(within)
        words = group_in_words(study, group)
        yield Group(f"{key}-group-{i}", escape(words[:1].upper() + words[1:]), tuple(grids))


def _said(study: Study, text: str) -> Markup:
    """A sentence of egregium's; one with words of the user's that would be taken for symbols stays as it is."""
    theirs = {str(one.setting.get("architecture", "")) for one in study.networks}
    theirs |= {in_words(name) for name, meaning in study.measures.items() if meaning == "your own"}
    theirs |= {*study.sweeps, *(row.value for row in study.plan if row.name == "data")}
    odd = any(word in text for word in theirs if word and typeset(word) != escape(word))
    return escape(text) if odd else typeset(text)
