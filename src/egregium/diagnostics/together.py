"""A loss that depends on how the samples are put into batches."""

from egregium.diagnostics.finding import Finding
from egregium.diagnostics.inquiry import Inquiry
from egregium.diagnostics.noise import named
from egregium.diagnostics.reading import Pass, Reading, agree, outputs_agree
from egregium.diagnostics.watch import ROOT, Switches

#: A difference that is rounding shrinks by more than this in float64: by 1e8 from float32, if nothing stays short.
SHRINKS = 1e3
#: What to do where nothing can be switched off.
FIXED_BATCHES = "Pass shuffle=False or a list of fixed batches: then the loss is that of these batches."


def together_fault(inquiry: Inquiry, one: Pass, other: Pass) -> Finding | None:
    """Why the same samples in other batches give another loss; None where it is rounding in a short dtype."""
    for hook in one.hooks.doing("writes"):
        if agree(*inquiry.pair(Switches(hooks_off=frozenset({hook.name})), data=1)):
            found = f"{hook.what} writes into parameters, so that a batch depends on those before it"
            return Finding("hooks", found, "fault", hook.where, "Remove the hook while you measure.")
    if one.watch.norms and agree(*inquiry.pair(Switches(stored_statistics=True), data=1)):
        return norm_finding(one, "fault")
    if inquiry.land.dtype.itemsize < 8 and _shrinks(inquiry.in_float64(), abs(one.value - other.value)):
        return None
    if one.written and not one.hooks.doing("writes"):
        found = "the model writes into its parameters during a pass, so that a batch depends on those before it"
        return Finding("parameters", found, "fault", change="Write into them after the pass, or into buffers.")
    found = "what the model gives for a sample depends on the others in its batch, or on its padding"
    if one.outputs is None:
        found = "the model or the loss couples the samples of a batch: in other batches they give another loss"
    elif outputs_agree(one, other, in_order=False):
        found = "the loss couples the samples of a batch: the same outputs in other batches give another loss"
    return Finding("batches", found, "fault", change=FIXED_BATCHES)


def _shrinks(precise: tuple[Reading, Reading] | None, difference: float) -> bool:
    return precise is not None and SHRINKS * abs(precise[0].value - precise[1].value) <= difference


def norm_finding(one: Pass, state: str) -> Finding:
    """What is to be said about BatchNorm that uses the statistics of each batch."""
    names = sorted(one.watch.norms)
    site, stored = one.watch.norms[names[0]]
    found = f"module {named(names)} ({site.owner or 'F.batch_norm'}) uses the statistics of each batch, not stored ones"
    found = found.replace(f"module {ROOT}", ROOT)
    found = found.replace("uses", "use").replace("module", "modules") if len(names) > 1 else found
    if not ("BatchNorm" in site.owner and (site.training or not stored)):
        change = f"Pass {'' if stored else 'running statistics and '}training=self.training"
    elif stored:
        change = "Take the call of .train() out of the model's code or hook"
    else:
        change = "Make it with track_running_stats=True and train it"
    change += ", or fix the batches (shuffle=False)."
    if state == "fault":
        return Finding("BatchNorm", f"{found}, and the batches are others in each pass", "fault", str(site), change)
    return Finding("BatchNorm", f"{found}: the loss is that of these batches", "remark", str(site), change)
