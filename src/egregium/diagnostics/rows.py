"""What is said of the parts of a landscape that are well."""

from collections.abc import Sequence

from egregium.diagnostics.finding import Finding
from egregium.diagnostics.noise import sources
from egregium.diagnostics.reading import Pass
from egregium.diagnostics.together import norm_finding


def table(one: Pass, other: Pass, faults: Sequence[Finding]) -> tuple[Finding, ...]:
    """The faults, then a row for each part that has none; `one` and `other` are passes with other seeds."""
    rows = [] if one.watch.whole == "function" else [_data(one, other), *_hooks(one), _norms(one)]
    if not faults:
        rows.insert(0, _draws(one))
    taken = {fault.subject for fault in faults}
    return (*faults, *(row for row in rows if row.subject not in taken))


def _draws(one: Pass) -> Finding:
    places = sources(one)
    if not places:
        return Finding("random numbers", f"the {one.watch.whole or 'model and the loss'} draw{_s(one)} none")
    site = one.watch.draws.get(places[0])
    return Finding("random numbers", "some are drawn, but the loss does not change by them", "remark", str(site or ""))


def _s(one: Pass) -> str:
    return "s" if one.watch.whole == "function" else ""


def _data(one: Pass, other: Pass) -> Finding:
    number, batches = one.samples.number, len(one.sums)
    amount = f"{number:,} sample{'s' * (number != 1)} in {batches:,} batch{'es' * (batches != 1)}"
    if one.samples.total != other.samples.total or number != other.samples.number:
        return Finding("data", f"{amount}, not the same in each pass (or padded otherwise)", "remark")
    order = "the same order" if one.samples.ordered == other.samples.ordered else "another order"
    return Finding("data", f"{amount}, the same in each pass, in {order}")


def _hooks(one: Pass) -> list[Finding]:
    number = len(one.hooks.found)
    writing, changing = one.hooks.doing("writes"), one.hooks.doing("changes")
    rows = []
    if writing:
        found = f"{writing[0].what} writes into parameters during a pass"
        rows.append(
            Finding("hooks", found, "remark", writing[0].where, "Remove the hook unless this is what you measure.")
        )
    elif changing:
        rows.append(Finding("hooks", f"{changing[0].what} changes what goes through, the same way in each pass"))
    else:
        what = f"{number}, which only look{'s' * (number == 1)} on" if number else "none"
        rows.append(Finding("hooks", what))
    if one.written and not writing:
        rows.append(Finding("parameters", "the model writes into them during a pass", "remark"))
    return rows


def _norms(one: Pass) -> Finding:
    if one.watch.norms:
        return norm_finding(one, "remark")
    return Finding("BatchNorm", "no layer uses the statistics of its batch")
