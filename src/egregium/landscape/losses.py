"""Loss functions as sums of terms: what a batch adds to f, and by how many terms.

A landscape is the mean over the loss terms of the whole data, so a batch must give (sum of its terms, their number).
torch's own losses are recognised, as module of exact type, function or nested `functools.partial`; any other loss is
taken as a mean over samples, and this is checked by splitting batches in two.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from egregium.errors import ArgumentError, LossError
from egregium.landscape.selection import unwrapped

Count = Tensor | float
Terms = Literal["samples", "elements", "sum"] | Callable[[Any, Any], Count] | None


@dataclass(frozen=True)
class LossTerms:
    """A loss as `terms(output, target) -> (sum, number)`; f is sum / number, or the sum itself where not `mean`.

    `module`: the loss itself where it is one, whose mode is put back; `known`: torch's function and its options, where
    the loss is one of torch's own.
    """

    terms: Callable[[Any, Any], tuple[Tensor, Count]]
    mean: bool
    check: Callable[[Any, Any], None] | None = None
    module: nn.Module | None = None
    known: "Known | None" = None


#: torch's function, and the options with which it is called.
Known = tuple[Callable[..., Tensor], dict[str, Any]]


def kept_class_weight(output: Tensor, target: Tensor, options: dict[str, Any]) -> Count:
    """Number of terms of cross-entropy: sum of w_y over targets that are kept, or positions for soft targets."""
    if target.is_floating_point():
        return target.numel() / output.shape[min(1, output.ndim - 1)]
    kept = target[target != options.get("ignore_index", -100)]
    weight = options.get("weight")
    return kept.numel() if weight is None else weight.to(output.device)[kept].double().sum()


def elements(output: Tensor, target: Tensor, options: dict[str, Any]) -> Count:
    """Number of elements after broadcasting."""
    return math.prod(np.broadcast_shapes(output.shape, target.shape))


def weighted_elements(output: Tensor, target: Tensor, options: dict[str, Any]) -> Count:
    """Number of elements, or the sum of their weights where the loss has any."""
    weight = options.get("weight")
    return elements(output, target, options) if weight is None else weight.double().sum()


def samples(output: Tensor, target: Tensor, options: dict[str, Any]) -> Count:
    """Number of vectors along the last dimension; 1 for an unbatched vector."""
    return output.shape[:-1].numel()


def divergence_terms(output: Tensor, target: Tensor, options: dict[str, Any]) -> Count:
    """Kullback-Leibler divergence: `batchmean` divides by samples, `mean` by elements."""
    return output.shape[0] if options.get("reduction") == "batchmean" else elements(output, target, options)


def multi_margin_sum(
    output: Tensor, target: Tensor, *, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, **_: Any
) -> Tensor:
    """`F.multi_margin_loss(reduction="sum")` in operations that have second derivatives; torch's own has none."""
    z, y = output.reshape(-1, output.shape[-1]), target.reshape(-1, 1)
    gaps = (margin - z.gather(1, y) + z).clamp(min=0) ** p
    gaps = gaps.masked_fill(torch.zeros_like(z, dtype=torch.bool).scatter(1, y, True), 0.0)
    return (gaps if weight is None else gaps * weight[y]).sum() / z.shape[1]


def multilabel_margin_sum(output: Tensor, target: Tensor, **_: Any) -> Tensor:
    """`F.multilabel_margin_loss(reduction="sum")`, likewise; a row's labels end at its first -1."""
    z, y = output.reshape(-1, output.shape[-1]), target.reshape(-1, target.shape[-1])
    listed = (y >= 0).cumprod(1).bool()
    positive = torch.zeros(len(z), z.shape[1] + 1, dtype=torch.bool, device=z.device)
    positive = positive.scatter(1, y.where(listed, z.shape[1]), True)[:, :-1]
    gaps = (1 - z.gather(1, y.clamp(min=0)).unsqueeze(2) + z.unsqueeze(1)).clamp(min=0)
    return gaps.masked_fill(~listed.unsqueeze(2) | positive.unsqueeze(1), 0.0).sum() / z.shape[1]


#: Sums of torch's losses that have no second derivative there.
SUMS: dict[Callable[..., Tensor], Callable[..., Tensor]] = {
    F.multi_margin_loss: multi_margin_sum,
    F.multilabel_margin_loss: multilabel_margin_sum,
}
#: Losses that broadcast output and target against each other, with a mere warning: (N, 1) and (N,) become (N, N).
ELEMENTWISE = (F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss)
#: How each of torch's losses counts its terms, and which module has its options as attributes.
COUNTS: dict[Callable[..., Tensor], Callable[[Tensor, Tensor, dict[str, Any]], Count]] = {
    F.cross_entropy: kept_class_weight,
    F.nll_loss: kept_class_weight,
    F.mse_loss: weighted_elements,
    F.l1_loss: weighted_elements,
    F.huber_loss: elements,  # torch divides its weighted sum by the number of elements, unlike the two above
    F.smooth_l1_loss: elements,
    F.binary_cross_entropy: elements,
    F.binary_cross_entropy_with_logits: elements,
    F.kl_div: divergence_terms,
    F.poisson_nll_loss: elements,
    F.soft_margin_loss: elements,
    F.hinge_embedding_loss: elements,
    F.multi_margin_loss: samples,
    F.multilabel_margin_loss: samples,
    F.multilabel_soft_margin_loss: samples,
}
MODULES: dict[type[nn.Module], tuple[Callable[..., Tensor], tuple[str, ...]]] = {
    nn.CrossEntropyLoss: (F.cross_entropy, ("weight", "ignore_index", "label_smoothing")),
    nn.NLLLoss: (F.nll_loss, ("weight", "ignore_index")),
    nn.MSELoss: (F.mse_loss, ()),
    nn.L1Loss: (F.l1_loss, ()),
    nn.HuberLoss: (F.huber_loss, ("delta",)),
    nn.SmoothL1Loss: (F.smooth_l1_loss, ("beta",)),
    nn.BCELoss: (F.binary_cross_entropy, ("weight",)),
    nn.BCEWithLogitsLoss: (F.binary_cross_entropy_with_logits, ("weight", "pos_weight")),
    nn.KLDivLoss: (F.kl_div, ("log_target",)),
    nn.PoissonNLLLoss: (F.poisson_nll_loss, ("log_input", "full", "eps")),
    nn.SoftMarginLoss: (F.soft_margin_loss, ()),
    nn.HingeEmbeddingLoss: (F.hinge_embedding_loss, ("margin",)),
    nn.MultiMarginLoss: (F.multi_margin_loss, ("p", "margin", "weight")),
    nn.MultiLabelMarginLoss: (F.multilabel_margin_loss, ()),
    nn.MultiLabelSoftMarginLoss: (F.multilabel_soft_margin_loss, ("weight",)),
}


def loss_terms(loss: Callable[[Any, Any], Tensor], terms: Terms = None) -> LossTerms:
    """`loss(output, target)` as a sum of terms.

    `terms` says what loss averages over: None recognises torch's losses and otherwise assumes samples and checks it;
    "samples" (length of the first dimension), "elements" (of the output) or a function `(output, target) -> number`
    are taken at their word; "sum" says that loss is a sum already, and f the sum over the data.
    Raises ArgumentError for any other `terms`, LossError for a reduction that leaves no scalar.
    """
    own = unwrapped(loss) if isinstance(loss, nn.Module) else None
    return replace(_terms_of(loss, terms), module=own, known=_recognise(loss))


def _terms_of(loss: Callable[[Any, Any], Tensor], terms: Terms) -> LossTerms:
    if terms == "sum":
        return LossTerms(lambda output, target: (_scalar(loss(output, target)), 1.0), mean=False)
    if terms is not None:
        return _counted(loss, _counter(terms))
    recognised = _recognise(loss)
    if recognised is None:
        counted = _counted(loss, sample_count)
        return LossTerms(counted.terms, mean=True, check=partial(check_mean_over_samples, loss))
    function, options = recognised
    reduction = options.get("reduction", "mean")
    if reduction == "none":
        raise LossError(
            f'The loss {function.__name__} has reduction="none" and returns a tensor. Use reduction="mean" or "sum".'
        )
    known = ("mean", "sum", "batchmean") if function is F.kl_div else ("mean", "sum")
    if reduction not in known:
        raise LossError(f"The loss {function.__name__} has reduction={reduction!r}; it must be one of {known}.")
    summed = {**options, "reduction": "sum"}

    def total(output: Any, target: Any) -> tuple[Tensor, Count]:
        if function in ELEMENTWISE and output.shape != target.shape:
            raise LossError(
                f"The output has shape {tuple(output.shape)} and the target {tuple(target.shape)}: {function.__name__} "
                "would broadcast them. Give the target the output's shape, as in target.view_as(output)."
            )
        moved = {k: v.to(output.device, output.dtype) if isinstance(v, Tensor) else v for k, v in summed.items()}
        return SUMS.get(function, function)(output, target, **moved), COUNTS[function](output, target, options)

    return LossTerms(total, mean=reduction != "sum")


def _recognise(loss: Any) -> Known | None:
    """(torch's function, its options) where loss is one of torch's own, a module compiled or not, else None."""
    loss = getattr(loss, "_orig_mod", loss)
    options: dict[str, Any] = {}
    while isinstance(loss, partial) and not loss.args:
        options = {**loss.keywords, **options}
        loss = loss.func
    if type(loss) in MODULES:
        function, names = MODULES[type(loss)]
        attributes = {name: getattr(loss, name) for name in (*names, "reduction")}
        return None if options else (function, attributes)
    legacy = {"size_average", "reduce"} & options.keys()
    try:
        known = loss in COUNTS
    except TypeError:  # unhashable
        known = False
    return (loss, options) if known and not legacy else None


def _counter(terms: Terms) -> Callable[[Any, Any], Count]:
    if callable(terms):
        return terms
    named: dict[Any, Callable[[Any, Any], Count]] = {"samples": sample_count, "elements": element_count}
    if terms not in named:
        raise ArgumentError(
            f'terms= must be None, "samples", "elements", "sum" or a function (output, target) -> number of loss '
            f"terms, got {terms!r}."
        )
    return named[terms]


def _counted(loss: Callable[[Any, Any], Tensor], counter: Callable[[Any, Any], Count]) -> LossTerms:
    def total(output: Any, target: Any) -> tuple[Tensor, Count]:
        count = counter(output, target)
        if count == 0:  # a mean over nothing is NaN
            return sum((z.sum() * 0 for z in tree_leaves(output) if isinstance(z, Tensor)), torch.zeros(())), count
        return _scalar(loss(output, target)) * count, count

    return LossTerms(total, mean=True)


def sample_count(output: Any, target: Any) -> int:
    """Length of the first dimension of the first tensor of the target, else of the output; else 1."""
    leaves = [leaf for leaf in tree_leaves((target, output)) if isinstance(leaf, Tensor) and leaf.ndim]
    return leaves[0].shape[0] if leaves else 1


def element_count(output: Any, target: Any) -> int:
    """Number of elements of the tensors of the output."""
    return sum(leaf.numel() for leaf in tree_leaves(output) if isinstance(leaf, Tensor))


def check_mean_over_samples(loss: Callable[[Any, Any], Tensor], output: Any, target: Any) -> None:
    """Split one batch in two and compare `N loss` with `N1 loss1 + N2 loss2`. Batches of one sample pass.

    Raises LossError, naming `terms=`, where they differ by more than rounding. A loss that is not finite passes: its
    error is another.
    """
    size = sample_count(output, target)
    if size < 2:
        return
    tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
    if tensors and not any(leaf.ndim for leaf in tensors):
        raise LossError(
            "The model's output is a single number, so it cannot be told what the loss averages over. Say it with "
            'terms="samples" (or a function (output, target) -> number), or pass batch_loss=.'
        )
    whole = _scalar(loss(output, target)) * size
    if not math.isfinite(float(whole.detach())):
        return
    sizes, parts = (size // 3 or 1, size - (size // 3 or 1)), []
    for start, length in zip((0, sizes[0]), sizes, strict=True):
        part = tree_map(partial(rows, size=size, which=slice(start, start + length)), (output, target))
        try:
            parts.append(_scalar(loss(*part)) * length)
        except (RuntimeError, ValueError, IndexError) as error:
            raise LossError(f"{_unknown_average(loss)} It fails on a part of a batch: {error}") from error
    total = parts[0] + parts[1]
    tolerance = 100 * torch.finfo(whole.dtype).eps * (1 + size**0.5)
    scale = max(abs(float(p)) for p in (*parts, whole))
    if not abs(float(total - whole)) <= tolerance * max(scale, torch.finfo(whole.dtype).tiny):
        raise LossError(
            f"{_unknown_average(loss)} On a batch of {size} samples, {size} x loss is {float(whole):.6g}, but its two "
            f"parts of {sizes[0]} and {sizes[1]} samples add up to {float(total):.6g}."
        )


def _unknown_average(loss: Any) -> str:
    name = getattr(loss, "__name__", type(loss).__name__)
    return (
        f"The loss {name} is not a mean over samples, so batches cannot be weighted. Say what it averages over with "
        'terms="elements", terms="sum" or terms=lambda output, target: number of terms, or pass batch_loss=.'
    )


def rows(leaf: Any, size: int, which: slice | Tensor) -> Any:
    """The samples `which`, a slice or their places, of a tensor of `size` samples; anything else as it is."""
    batched = isinstance(leaf, Tensor) and leaf.ndim and leaf.shape[0] == size
    return leaf[which] if batched else leaf


def _scalar(value: Any) -> Tensor:
    """`value` where it is a scalar tensor; a sentence otherwise."""
    if not isinstance(value, Tensor):
        raise LossError(f"The loss must return a scalar tensor, got {type(value).__name__}.")
    if value.numel() != 1:
        raise LossError(
            f'The loss must return a scalar, got shape {tuple(value.shape)}. Use reduction="mean" or .mean().'
        )
    if not value.is_floating_point():
        raise LossError(f"The loss must return a real floating-point number, got {value.dtype}.")
    return value.reshape(())
