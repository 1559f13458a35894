"""Random numbers in model and loss: which of the places that draw make the loss change."""

from collections.abc import Iterable
from itertools import zip_longest

import torch

from egregium.diagnostics.finding import Finding
from egregium.diagnostics.inquiry import Inquiry
from egregium.diagnostics.reading import Pass, agree_in_order
from egregium.diagnostics.site import Site
from egregium.diagnostics.watch import NAMES, NUMPY, PYTHON, ROOT, Place, Switches

#: Functions of torch that drop out.
DROPOUTS = frozenset(
    {"dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "feature_dropout_"}
    | {"alpha_dropout", "alpha_dropout_", "feature_alpha_dropout", "native_dropout"}
    | {"scaled_dot_product_attention", "multi_head_attention_forward", "lstm", "gru", "rnn_tanh", "rnn_relu"}
)
#: Places that are tried one at a time; beyond, all are named.
TRIED = 4


def sources(one: Pass) -> list[Place]:
    """The places in model and loss that draw from the global generators, the generators of numpy and Python last."""
    return [place for place in one.watch.draws if place not in one.watch.own] + list(one.watch.moved)


def guilty(inquiry: Inquiry, base: Pass, found: list[Place]) -> dict[Place, Pass | None]:
    """Those of the places whose other random numbers alone change the loss, and the pass in which they did.

    A pass each, where there are several: at this place other numbers, at all others those of `base`.
    """
    if len(found) == 1 or len(found) > TRIED:
        return dict.fromkeys(found)
    tried = {place: inquiry.look(0, 0, Switches(shaken=place)) for place in found}
    changed: dict[Place, Pass | None] = {p: one for p, one in tried.items() if not agree_in_order(base, one)}
    return changed or dict.fromkeys(found)


def noise_fault(place: Place, base: Pass, other: Pass) -> Finding:
    """The finding for one guilty place; `other` is a pass with other numbers there."""
    if place in (NUMPY, PYTHON):
        site = origin(base, other)
        return _beside_torch(str(place), site, base)
    site = base.watch.draws[place]
    if site.function in DROPOUTS:
        return _dropout(site, base.watch.modules[place])
    found = f"noise in the {base.watch.named(site.part)}: {site.function} draws anew in each pass"
    return Finding("random numbers", found + _inside(base.watch.modules[place]), "fault", str(site), _without(site))


def origin(one: Pass, other: Pass) -> Site | None:
    """The first call whose result differs between two passes over the same batches; None where none is seen to."""
    for a, b in zip_longest(one.watch.calls, other.watch.calls):
        if a is None or b is None:
            return (a or b)[0] if a or b else None
        if a[0].place != b[0].place:
            return a[0]
        if a[1] is not None and b[1] is not None and not torch.equal(a[1].nan_to_num(), b[1].nan_to_num()):
            return a[0]
    return None


def _dropout(site: Site, modules: set[str]) -> Finding:
    if site.training and ("Dropout" in site.owner or site.owner in ("LSTM", "GRU", "RNN", "MultiheadAttention")):
        are = "are" if len(modules) > 1 else "is"
        found = f"{named(modules)} ({site.owner}) {are} put back into training mode by the model's own code or a hook"
        return Finding("dropout", found, "fault", str(site), "Take the call of .train() or .training = True out of it.")
    change = "Pass training=self.training."
    if site.function == "scaled_dot_product_attention":
        change = "Pass dropout_p=self.p if self.training else 0.0."
    found = f"{site.function} is on in evaluation mode too"
    return Finding("dropout", found + _inside(modules), "fault", str(site), change)


def _beside_torch(generator: str, site: Site | None, one: Pass) -> Finding:
    part = site.part if site else one.watch.moved[generator]
    found = f"noise in the {one.watch.named(part)}: it draws from {NAMES[generator]} anew in each pass"
    return Finding("random numbers", found, "fault", str(site or ""), _without(site or Site("", part)))


def _without(site: Site) -> str:
    if site.part == "model" and site.module:
        return "Draw only if self.training, and use the mean else: the model is measured in evaluation mode."
    return "Use the mean, or draw the numbers once and keep them."


def _inside(modules: Iterable[str]) -> str:
    inner = [name for name in modules if name not in ("", ROOT)]
    return f", in {named(inner)}" if inner else ""


def named(modules: Iterable[str]) -> str:
    """The first three names, and how many more there are."""
    names = sorted(modules)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
