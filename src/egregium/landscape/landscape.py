"""The landscape: a loss as a function f of all its parameters, at a point.

    f(theta) = scale * (sum over batches of their loss terms) / (number of terms in the data)

Its graph {(theta, f(theta))} is the hypersurface of R^(n+1) whose geometry egregium measures.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial, reduce
from itertools import islice
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from egregium.autodiff import derivatives, gradient, memory_failures
from egregium.errors import ArgumentError, DataError
from egregium.landscape.arguments import counted, graph_was_cut, is_positive, parameters_changed, refuse_unfit_arguments
from egregium.landscape.batch import BatchLoss
from egregium.landscape.fetching import Seeds, fetched_once
from egregium.landscape.fingerprint import fingerprint
from egregium.landscape.losses import Count, Known, Terms, loss_terms
from egregium.landscape.normalisation import By, block_norms
from egregium.landscape.objective import FunctionObjective, ModelObjective, Objective
from egregium.landscape.penalty import Decay, decays, penalty
from egregium.landscape.place import checked_device, checked_dtype
from egregium.landscape.selection import patterns_of
from egregium.landscape.setting import setting
from egregium.landscape.states import fitted
from egregium.landscape.statistics import collect, tracking
from egregium.landscape.vectors import flattened, refuse_unfit_point, unflattened
from egregium.results.fingerprint import Fingerprint
from egregium.results.table import Row

#: What a batch adds to means over the data: parameters -> (sums, taken one at a time; the number of terms in each).
Contribution = Callable[[BatchLoss, list[Tensor]], tuple[Iterable[Tensor], Count]]


@final
class Landscape:
    """A model, a loss and data as one function f of n parameters.

    Args:
        model: any torch module; its parameters that require grad are theta. It is never changed, and read anew at
            each call. Measured in evaluation mode: no dropout, stored BatchNorm statistics.
        loss: `loss(output, target)`, a scalar. torch's own losses are weighted exactly; others are taken as means over
            samples, which is checked on the first pass.
        data: a list of batches (input, target), a DataLoader, a Dataset, or one pair (X, y). A dict input means
            model(**x), a tuple or list model(*x). Batches move to the model's device.
        batch_loss: instead of loss, `f(model, batch) -> (sum of the loss terms, their number)`, for anything else.
        terms: what a loss that is not torch's own averages over: "samples", "elements", "sum" (it is a sum, and so is
            f) or a function (output, target) -> number.
        params: a pattern of parameter names or several ("blocks.*.attn.*"): theta is those that require grad and match.
        weight_decay: lam >= 0 adds (lam / 2) |theta|^2 to f, analytically; or {pattern: lam} for some parameters.
        dtype, device: measure a copy of the parameters, cast or moved; the model stays as it is.

    Raises ArgumentError, DataError where the arguments do not make a landscape; LossError at the first pass.

    >>> land = Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.tensor([3.0, 1.0]))
    >>> land.n, land.value(), land.gradient().tolist()
    (2, 8.0, [6.0, -2.0])
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[[Any, Any], Tensor] | None = None,
        data: Any = None,
        *,
        batch_loss: Callable[[nn.Module, Any], tuple[Tensor, Count]] | None = None,
        terms: Terms = None,
        params: str | Sequence[str] | None = None,
        weight_decay: float | Mapping[str, float] = 0.0,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        refuse_unfit_arguments(model, loss, data, batch_loss, terms)
        how = batch_loss if loss is None else loss_terms(loss, terms)
        assert how is not None
        place, kind = checked_device(device), checked_dtype(dtype)
        with memory_failures():
            objective = ModelObjective(model, how, data, kind, place, patterns_of(model, params))
            self._set(objective, None, 1.0, decays(objective.model, objective.parameters(), weight_decay))

    @classmethod
    def from_function(cls, f: Callable[[Tensor], Tensor], theta: Float[Tensor, " n"]) -> "Landscape":
        """The landscape of f: (n,) -> scalar at theta, for surfaces known in closed form.

        Raises ArgumentError where theta is not a floating-point vector.
        """
        self = cls.__new__(cls)
        self._set(FunctionObjective(f, theta), None, 1.0, (0.0,))
        return self

    def _set(self, objective: Objective, point: Tensor | None, scale: float, decay: Decay) -> None:
        self._objective, self._point, self.scale, self._decay = objective, point, scale, decay
        self.shapes = {name: p.shape for name, p in objective.parameters().items()}
        self.n = sum(shape.numel() for shape in self.shapes.values())

    def __repr__(self) -> str:
        what = "a function" if self.model is None else type(self.model).__name__
        return f"Landscape({what}, n={self.n:,}, {self.dtype}, {self.device})"

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of theta: the widest among the parameters."""
        return reduce(torch.promote_types, (p.dtype for p in self._objective.parameters().values()))

    @property
    def device(self) -> torch.device:
        """The device of theta."""
        return next(iter(self._objective.parameters().values())).device

    @property
    def theta(self) -> Float[Tensor, " n"]:
        """The point, flat: the model's parameters as they are now, or where `at` put it; if `normalised`, x. A copy."""
        return self.flatten(self._objective.parameters()) if self._point is None else self._point.clone()

    def at(self, theta: Float[Tensor, " n"]) -> "Landscape":
        """The same landscape at another point; the model does not move. Raises ArgumentError for a wrong shape.

        Of a `normalised` landscape the point is given in its coordinates, x, and the norms D stay what they are.
        """
        refuse_unfit_point(theta, self.n)
        return self._like(theta.detach().to(self.device, self.dtype, copy=True), self.scale)

    def fixed(self) -> "Landscape":
        """The same landscape at the point where it is now; it stays there when the model trains on."""
        return self if self._point is not None else self._like(self.theta, self.scale)

    def scaled(self, scale: float) -> "Landscape":
        """The landscape of scale * f: R depends on the units of f. Raises ArgumentError unless finite and positive."""
        if not is_positive(scale):
            raise ArgumentError(f"scale must be a positive finite number, got {scale!r}.")
        return self._like(self._point, self.scale * scale)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Landscape":
        """The same landscape computed on another device or in another dtype; the model stays as it is."""
        other = Landscape.__new__(Landscape)
        place, kind = checked_device(device), checked_dtype(dtype)
        with memory_failures():
            point = None if self._point is None else self._point.to(place, kind)
            other._set(self._objective.to(place, kind), point, self.scale, self._decay)
        return other

    def normalised(self, by: By = "filter") -> "Landscape":
        """The same landscape in normalised coordinates x, at the point where it is now; like `fixed`, it stays there.

            theta = D x,   f~(x) = f(D x),   gradient D g,   Hessian D H D

        D is diagonal and constant: at each parameter the norm, here and now, of its block. A rescaling, positive and
        one number on each block, that leaves f as it is changes D alone, and no number of f~. Blocks:

        * "tensor": parameter tensors. ReLU layers may be rescaled: (W1, b1, W2) -> (a W1, a b1, W2 / a).
        * "filter": what makes one output, as in `slices.filter_normalised`: also filters without a bias before a
          BatchNorm. Biases and gains are one block a tensor, for W2's rows are divided by a and its bias b2 is not.
        * "element": each number. So may be single neurons, whose outgoing weights lie across the filters of W2.

        A block that is 0 has no scale: what lies along it is not seen (`setting` says of how many). Weight decay is
        that of theta, its Hessian lam D^2; a rescaling changes it. Raises ArgumentError for another `by`.
        Source: Dinh et al., arXiv 1703.04933; Kwon et al., arXiv 2102.11600. More: docs/normalised.md.

        >>> land = Landscape.from_function(lambda x: (x[0] * x[1] - 1) ** 2, torch.tensor([3.0, 4.0]))
        >>> land.gradient().tolist(), land.normalised().gradient().tolist(), land.normalised().norms.tolist()
        ([88.0, 66.0], [440.0, 330.0], [5.0, 5.0])
        """
        theta = self._placed()
        D = block_norms(self.model, theta, by)
        return self._on(self._objective.normalised(D), D.coordinates(self.flatten(theta)))

    @property
    def norms(self) -> Float[Tensor, " n"]:
        """D of `normalised`, flat, in theta's dtype: x stands for the parameters D x. Ones where it is not."""
        D = self._objective.norms
        return torch.ones(self.n, device=self.device, dtype=self.dtype) if D is None else D.flat().to(self.dtype)

    def loaded(self, state: Mapping[str, Tensor]) -> "Landscape":
        """The same landscape with this state in the model's place: parameters and buffers, by name; the model stays.

        Raises ArgumentError where the state does not fit the model, or there is none.
        """
        if not isinstance(self._objective, ModelObjective):
            raise ArgumentError("loaded(state) needs a landscape of a model; use at(theta) for one of a function.")
        try:
            own = fitted(self._objective.model, state)
        except ArgumentError as error:
            raise ArgumentError(f"The state {error} Pass one that was saved from this model.") from None
        D, theta = self._objective.norms, self.flatten(own)
        return self._on(self._objective.with_state(own), theta if D is None else D.coordinates(theta))

    def reestimated(self) -> "Landscape":
        """The same landscape at its point with running statistics (BatchNorm) that belong to it, from one pass.

        The landscape itself where no layer keeps any; the model stays as it is. Costs a third of a gradient.
        """
        objective = self._objective
        if not isinstance(objective, ModelObjective) or not self.keeps_statistics:
            return self
        buffers = objective.buffers()
        collector = self._on(objective.with_state(buffers, collecting=True), self.theta)
        collect(objective.model, collector.means)
        return self._on(objective.with_state(buffers), self._point)

    @property
    def keeps_statistics(self) -> bool:
        """Whether a layer keeps running means and variances."""
        return isinstance(self._objective, ModelObjective) and bool(tracking(self._objective.model))

    def _on(self, objective: Objective, point: Tensor | None) -> "Landscape":
        other = Landscape.__new__(Landscape)
        other._set(objective, point, self.scale, self._decay)
        return other

    @property
    def model(self) -> nn.Module | None:
        """The user's module; None for `from_function`."""
        return self._objective.model if isinstance(self._objective, ModelObjective) else None

    @property
    def known_loss(self) -> Known | None:
        """torch's own loss function and its options, where the loss is one of these; else None."""
        return self._objective.known_loss if isinstance(self._objective, ModelObjective) else None

    @property
    def data(self) -> Any:
        """The batches; None for `from_function`."""
        return self._objective.data if isinstance(self._objective, ModelObjective) else None

    def unsplit(self) -> AbstractContextManager[None]:
        """Passes in which no batch is split to see whether the loss is a mean: to that, noise is a wrong average."""
        return self._objective.unsplit()

    @property
    def setting(self) -> tuple[Row, ...]:
        """What a reader must know of these numbers: evaluation mode, part measured, decay, precision, coordinates."""
        objective = self._objective
        rows = () if objective.norms is None else objective.norms.setting()
        if not isinstance(objective, ModelObjective):
            return rows
        return *setting(objective.model, objective.parameters(), self._decay, objective.dtype), *rows

    def _like(self, point: Tensor | None, scale: float) -> "Landscape":
        other = self._on(self._objective, point)
        other.scale = scale
        return other

    def flatten(self, tensors: Mapping[str, Tensor] | Sequence[Tensor]) -> Float[Tensor, " n"]:
        """Tensors shaped like the parameters (in their order, or by name) as one vector of shape (n,).

        Of a state dict that is the parameters alone: `loaded` takes its buffers too.
        """
        return flattened(self.shapes, tensors, self.device, self.dtype)

    def unflatten(self, v: Float[Tensor, " n"]) -> dict[str, Tensor]:
        """A vector of shape (n,) as tensors by parameter name; views of v."""
        return unflattened(self.shapes, v)

    def single_batches(self) -> Iterator["Landscape"]:
        """The landscape of each batch alone, at this point, with a mean of its own; f itself for functions."""
        if not isinstance(self._objective, ModelObjective):
            yield self
            return
        with derivatives(self.device), fetched_once(self._objective.model, self._objective.data) as batches:
            found = list(batches)
        for batch in found:
            yield self._on(self._objective.restricted([batch]), self._point)

    def value(self, *, seeds: Seeds = Seeds()) -> float:
        """f(theta). Costs a third of a gradient. `seeds`: of what is random in a pass over the data."""

        def terms(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
            total, count = batch.terms()
            return [total.detach().double().clone()], count  # `means` adds in place; total may view a parameter

        (value,) = self.means(terms, seeds=seeds)
        return float(value) + self._penalty()

    def gradient(self) -> Float[Tensor, " n"]:
        """grad f(theta), shape (n,), in theta's dtype. Costs one gradient."""
        return self.value_and_gradient()[1]

    def value_and_gradient(self) -> tuple[float, Float[Tensor, " n"]]:
        """(f(theta), grad f(theta)) in one pass. Costs one gradient.

        Raises LossError where no batch's loss depends on the parameters.
        """
        depends = False

        def slope(batch: BatchLoss, parameters: list[Tensor]) -> tuple[Iterable[Tensor], Count]:
            nonlocal depends
            total, count = batch.terms()
            depends |= total.requires_grad
            parts = (part.to(self.dtype).reshape(-1) for part in gradient(total, parameters))
            return [total.detach().double().clone(), torch.cat(list(parts))], count

        value, slopes = self.means(slope)
        if not depends:
            raise graph_was_cut()
        rows = slopes.to(self.dtype).unsqueeze(0)
        if any(self._decay):
            self.add_decay(rows, self.theta.unsqueeze(0))
        return float(value) + self._penalty(), rows[0]

    def fingerprint(self) -> Fingerprint:
        """Digests of data, point and model, by which two documents tell whether they speak of the same.

        One pass over the data that computes nothing. The batches are hashed in their order: the same samples in another
        order or split have another fingerprint, though f is the same.

        >>> Landscape.from_function(lambda x: x @ x, torch.zeros(2)).fingerprint().model
        'function'
        """
        with derivatives(self.device):  # the state of torch in which every pass fetches its batches
            return fingerprint(self._objective, self.theta)

    @property
    def batch_count(self) -> int:
        """Number of batches in a pass, where the data know it; else 1."""
        try:
            return max(len(self.data), 1)
        except TypeError:  # a loader of an IterableDataset says so only when it is asked
            return 1

    @property
    def is_mean(self) -> bool:
        """Whether f is the mean of the loss terms, else their sum."""
        return self._objective.mean

    @property
    def facts(self) -> dict[str, int]:
        """What was found out about model, loss and data once, by name; shared by `at`, `scaled` and `fixed`."""
        return self._objective.facts

    def means(self, contribution: Contribution, *, seeds: Seeds = Seeds(), most: int | None = None) -> list[Tensor]:
        """scale / (number of terms) * sum over batches of contribution(batch, parameters), added up in float64.

        Everything linear in the batches (value, gradient, products) goes through here: batches are weighted by their
        exact number of loss terms, so the result does not depend on how the data are split. The sums of a batch are
        taken one at a time, and only their totals are held. Weight decay is not in it. `most`: batches to look at.
        Raises DataError where the data have no terms at all.
        """
        totals: list[Tensor] = []
        count = 0.0

        def added(parameters: list[Tensor], batch: BatchLoss) -> float:
            sums, number = contribution(batch, parameters)
            for j, part in enumerate(sums):
                if j < len(totals):
                    totals[j] = totals[j].double().add_(part)
                else:
                    totals.append(part)  # one batch needs no float64
            return counted(number, batch.index)

        with derivatives(self.device):
            parameters = self._parameters()
            with self._objective.batches(parameters, seeds) as batches:
                for within in islice(batches, most):
                    count += within(partial(added, parameters))
                    del within  # its batch, before the next one is fetched
        if not count > 0:
            raise DataError("The data have no loss terms: every batch counts 0 (are all targets ignored?).")
        weight = self.scale / (count if self._objective.mean else 1.0)
        return [total.mul_(weight) for total in totals]

    def add_decay(
        self, into: Float[Tensor, "k m"], of: Float[Tensor, "k m"], only: Sequence[int] | None = None
    ) -> None:
        """Add the weight decay's share of a derivative in place: into += scale * lam o D^2 o of, lam by parameter.

        `only`: the parameters, by their place, that the rows hold one after the other; all n numbers where None.
        """
        start, lams, shapes, D = 0, self._decay, list(self.shapes.values()), self._objective.norms
        for i in range(len(shapes)) if only is None else only:
            here = slice(start, start + shapes[i].numel())
            if lams[i]:
                into[:, here].add_(of[:, here] if D is None else D.squared(i, of[:, here]), alpha=self.scale * lams[i])
            start = here.stop

    def _penalty(self) -> float:
        """scale * sum over parameters of (lam / 2) |theta|^2."""
        if not any(self._decay):
            return 0.0
        return self.scale * penalty(self._decay, self._placed().values())

    def _placed(self) -> dict[str, Tensor]:
        """What is in the model's place, by name: theta, or in normalised coordinates D x."""
        x = self.unflatten(self.theta)
        return dict(zip(x, self._objective.placed(list(x.values())), strict=True))

    def _parameters(self) -> list[Tensor]:
        """Fresh leaves at the point, one a parameter, that require grad: copies, for a model may write into them."""
        current = self._objective.parameters()
        if current.keys() != self.shapes.keys():
            raise parameters_changed(current.keys() ^ self.shapes.keys())
        if self._point is not None:
            at_point = self.unflatten(self._point)
            current = {name: at_point[name].to(p.dtype) for name, p in current.items()}
        return [p.detach().clone().requires_grad_() for p in current.values()]
