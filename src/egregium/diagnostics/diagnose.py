"""Whether the loss is the same in every pass over the data, and if not, why: things are switched off one at a time."""

from egregium.diagnostics.finding import Diagnosis, Finding
from egregium.diagnostics.inquiry import Inquiry
from egregium.diagnostics.noise import guilty, noise_fault, sources
from egregium.diagnostics.outside import outside_fault
from egregium.diagnostics.reading import Pass, agree, agree_in_order, closely
from egregium.diagnostics.rows import table
from egregium.diagnostics.source import changing_samples, sampling_fault
from egregium.diagnostics.together import together_fault
from egregium.errors import ArgumentError, LossError
from egregium.landscape import Landscape
from egregium.results import Cost


def diagnosis(land: Landscape) -> Diagnosis:
    """Whether the loss is the same in every pass over the data, what makes it change, and what to do about it.

    Two passes with other random numbers and the data in another order; where they differ, about four more, in each of
    which one thing is switched off. Costs a third of a gradient for each. Leaves nothing behind.

    >>> import torch
    >>> diagnosis(Landscape.from_function(lambda x: (x * torch.rand(())).sum(), torch.ones(2))).faults[0].found
    'noise in the function: rand draws anew in each pass'
    """
    _refuse_other(land, "diagnosis")
    inquiry = Inquiry(land)
    one, other = inquiry.look(0, 0), inquiry.look(1, 1)
    same = agree(one, other) and (closely(one, other) or agree(one, inquiry.look(2, 2)))
    faults = [] if same else _faults(inquiry, one, other)
    return Diagnosis(table(one, other, faults), (one.value, other.value), inquiry.passes, inquiry.cost)


def refuse_changing_loss(land: Landscape) -> Cost:
    """Raise LossError, with the cause, where two passes over the data give different losses. Returns what it cost.

    Two thirds of a gradient, by values only (a third pass where they agree barely).
    """
    _refuse_other(land, "refuse_changing_loss")
    inquiry = Inquiry(land)
    one, other = inquiry.values(0), inquiry.values(1)
    if not (agree(one, other) and (closely(one, other) or agree(one, inquiry.values(2)))):
        found = diagnosis(land)
        if not found.ok:
            raise LossError(f"{found.verdict} {found.cause} egregium.diagnosis(land) shows what was looked at.")
        inquiry.passes += found.passes
    return inquiry.cost


def _faults(inquiry: Inquiry, one: Pass, other: Pass) -> list[Finding]:
    """What makes two passes differ: noise, data, or how the samples are put into batches."""
    data, differ = inquiry.land.data, one.samples != other.samples
    held = inquiry.look(0, 1)  # the data of `one`, other noise
    sampling = sampling_fault(data)
    samples = changing_samples(data, differ and sampling is None)
    faults = [fault for fault in (sampling, samples) if fault is not None]
    if one.samples != held.samples:  # no seed holds the data still, and nothing else can be told
        return faults or [_restless(data)]
    if not agree_in_order(one, held):
        return faults + _noise(inquiry, one, held)
    if faults:
        return faults
    fault = together_fault(inquiry, one, other)
    return [] if fault is None else [fault]


def _noise(inquiry: Inquiry, one: Pass, held: Pass) -> list[Finding]:
    """What draws, or changes without drawing, in model and loss; `held` differs from `one` by its noise alone."""
    places = sources(one)
    if not places:
        return [outside_fault(inquiry, one, held)]
    again = inquiry.look(0, 0)
    if not agree_in_order(one, again):
        return [outside_fault(inquiry, one, again)]
    shaken = guilty(inquiry, one, places)
    return [noise_fault(place, one, found or held) for place, found in shaken.items()]


def _restless(data: object) -> Finding:
    found = f"{type(getattr(data, 'dataset', data)).__name__} gives other samples from the same seed"
    change = "Look for a clock, a counter, os.urandom or a hidden generator, or pass a list of fixed batches."
    return Finding("data", found, "fault", change=change)


def _refuse_other(land: object, function: str) -> None:
    if not isinstance(land, Landscape):
        raise ArgumentError(
            f"{function} needs a Landscape, got {type(land).__name__}. Make one: eg.Landscape(model, loss, data)."
        )
