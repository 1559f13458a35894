"""A loss that changes though all seeds are the same: hooks with a state, memory nobody wrote, clocks."""

from egregium.diagnostics.finding import Finding
from egregium.diagnostics.hooks import Hook
from egregium.diagnostics.inquiry import Inquiry
from egregium.diagnostics.noise import origin
from egregium.diagnostics.reading import Pass, agree_in_order, outputs_agree
from egregium.diagnostics.site import Part, Site
from egregium.diagnostics.watch import Switches

#: How the functions begin that give memory as it is.
EMPTY = ("empty", "new_empty")


def outside_fault(inquiry: Inquiry, one: Pass, again: Pass) -> Finding:
    """Why two passes over the same batches differ by no fault of a generator that egregium starts."""
    begun = origin(one, again)
    hook = _guilty_hook(inquiry, one, begun)
    if hook is not None:
        found = f"{hook.what} changes the loss by a state that outlives the pass"
        return Finding("hooks", found, "fault", hook.where, "Remove the hook while you measure.")
    likely: Part = "loss" if outputs_agree(one, again, in_order=True) else "model"
    part = one.watch.named(begun.part if begun is not None else likely)
    if begun is not None and begun.place in one.watch.own:
        found = f"{begun.function} draws from a generator of its own, which no seed reaches"
        return Finding(
            "random numbers",
            f"noise in the {part}: {found}",
            "fault",
            str(begun),
            "Leave generator= away, or draw once.",
        )
    where = str(begun or "")
    passes, said = inquiry.deterministic()
    if passes is None:
        found = f"the {part} reads memory that nobody has written: filled with NaN, the loss is NaN"
        empty = next((site for site, _ in one.watch.calls if site.function.startswith(EMPTY)), None)
        return Finding("memory", found, "fault", str(empty or where), "Use torch.zeros where it says torch.empty.")
    if agree_in_order(*passes):
        names = "; ".join(sorted({text.split(" does not")[0].splitlines()[0] for text in said}))
        found = f"the {part} depends on {names or 'a kernel that adds in another order, or on memory nobody wrote'}"
        change = "Call torch.use_deterministic_algorithms(True) before you measure."
        return Finding("kernels", found, "fault", where, change)
    found = f"the {part} depends on something outside the generators of torch, numpy and random"
    change = "Look there for os.urandom, a clock, a counter or a generator of its own, and hold it fixed."
    return Finding("outside", found, "fault", where, change)


def _guilty_hook(inquiry: Inquiry, one: Pass, begun: Site | None) -> Hook | None:
    """The hook without which two equal passes agree; the likeliest is tried first, then all others one at a time."""
    hooks = list(one.hooks.found.values())
    first = [hook for hook in hooks if begun is not None and begun.hook == hook.name]
    for hook in first:
        if _steady_without(inquiry, hook):
            return hook
    rest = [hook for hook in hooks if hook not in first]
    if len(rest) > 1 and not _steady_without(inquiry, *rest):
        return None
    return next((hook for hook in rest if _steady_without(inquiry, hook)), None)


def _steady_without(inquiry: Inquiry, *hooks: Hook) -> bool:
    """Whether two equal passes without these hooks agree; not where the model cannot do without."""
    try:
        return agree_in_order(*inquiry.pair(Switches(hooks_off=frozenset(hook.name for hook in hooks))))
    except Exception:  # whatever the model raises for want of its hook
        return False
