"""Every loss that is recognised, in every option: sums and counts that make any split of the data the same function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import egregium as eg
from egregium.errors import ArgumentError, LossError
from egregium.landscape.losses import COUNTS, MODULES, SUMS, loss_terms

DOUBLE = torch.float64
N, C = 12, 4
MADE = torch.Generator().manual_seed(3)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=MADE)


def uniform(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=DOUBLE, generator=MADE)


def labels(*shape: int) -> Tensor:
    return torch.randint(0, C, shape, generator=MADE)


def some_ignored(target: Tensor, index: int) -> Tensor:
    """The first three samples, and one in the last batch, are ignored."""
    target = target.clone()
    target[:3] = index
    target[10] = index
    return target


X, IMAGES, ROWS = normal(N, 3), normal(N, 3, 2, 2), normal(N, 2, 3)
SIGNS = torch.where(uniform(N, C) > 0.5, 1.0, -1.0).to(DOUBLE)
BITS = (uniform(N, C) > 0.5).to(DOUBLE)
SOFT = normal(N, C).softmax(1)
WEIGHT, MORE = uniform(C) + 0.5, uniform(C) + 0.5
#: Labels of each row from the front, closed by -1, as nn.MultiLabelMarginLoss wants them.
LISTED = torch.tensor([[1, 3, -1, 0], [0, -1, 1, 1], [2, 1, 0, -1]]).repeat(4, 1)


class Spatial(nn.Module):
    """A network at every pixel: (N, 3, h, w) -> (N, C, h, w)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.movedim(1, -1)).movedim(-1, 1).contiguous()


def network(*end: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, C), *end).to(DOUBLE)


@dataclass(frozen=True, eq=False)
class Case:
    """One of torch's losses with options, a model whose outputs suit it, and data."""

    function: Callable[..., Tensor]
    target: Tensor
    options: dict[str, Any] = field(default_factory=dict)
    end: tuple[nn.Module, ...] = ()
    x: Tensor = X

    def model(self) -> nn.Module:
        return Spatial(network(*self.end)) if self.x is IMAGES else network(*self.end)

    def loss(self) -> Callable[..., Tensor]:
        return partial(self.function, **self.options)

    def module(self) -> nn.Module:
        return next(module for module, (function, _) in MODULES.items() if function is self.function)(**self.options)

    def nested(self) -> Callable[..., Tensor]:
        """partial of partial, the inner one overridden; an attribute keeps Python from merging the two."""
        wrong = {name: None if isinstance(value, Tensor) else 7 for name, value in self.options.items()}
        inner: Any = partial(self.function, **wrong)
        inner.__name__ = "inner"
        return partial(inner, **self.options)


CE, NLL, KL = F.cross_entropy, F.nll_loss, F.kl_div
BCE, LOGITS, POISSON = F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.poisson_nll_loss
LOG = (nn.LogSoftmax(-1),)
PROBABILITY = (nn.Sigmoid(),)
POSITIVE = (nn.Softplus(),)
PIXELS = labels(N, 2, 2)

CASES: dict[str, Case] = {
    "cross-entropy": Case(CE, labels(N)),
    "cross-entropy, weight": Case(CE, labels(N), {"weight": WEIGHT}),
    "cross-entropy, ignored": Case(CE, some_ignored(labels(N), -100)),
    "cross-entropy, ignore_index": Case(CE, some_ignored(labels(N), 2), {"ignore_index": 2}),
    "cross-entropy, negative ignore_index": Case(CE, some_ignored(labels(N), -1), {"ignore_index": -1}),
    "cross-entropy, smoothing": Case(CE, labels(N), {"label_smoothing": 0.2}),
    "cross-entropy, weight, ignored": Case(CE, some_ignored(labels(N), -100), {"weight": WEIGHT}),
    "cross-entropy, weight, smoothing": Case(CE, labels(N), {"weight": WEIGHT, "label_smoothing": 0.2}),
    "cross-entropy, ignored, smoothing": Case(CE, some_ignored(labels(N), -100), {"label_smoothing": 0.2}),
    "cross-entropy, all options": Case(
        CE, some_ignored(labels(N), 1), {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1}
    ),
    "cross-entropy, soft": Case(CE, SOFT),
    "cross-entropy, soft, weight": Case(CE, SOFT, {"weight": WEIGHT}),
    "cross-entropy, soft, smoothing": Case(CE, SOFT, {"label_smoothing": 0.3}),
    "cross-entropy, soft, weight, smoothing": Case(CE, SOFT, {"weight": WEIGHT, "label_smoothing": 0.3}),
    "cross-entropy, spatial": Case(CE, PIXELS, x=IMAGES),
    "cross-entropy, spatial, weight": Case(CE, PIXELS, {"weight": WEIGHT}, x=IMAGES),
    "cross-entropy, spatial, ignored": Case(CE, some_ignored(PIXELS, -100), {"weight": WEIGHT}, x=IMAGES),
    "cross-entropy, spatial, soft": Case(CE, normal(N, C, 2, 2).softmax(1), {"weight": WEIGHT}, x=IMAGES),
    "likelihood": Case(NLL, labels(N), end=LOG),
    "likelihood, weight": Case(NLL, labels(N), {"weight": WEIGHT}, LOG),
    "likelihood, weight, ignored": Case(NLL, some_ignored(labels(N), 0), {"weight": WEIGHT, "ignore_index": 0}, LOG),
    "likelihood, spatial": Case(NLL, some_ignored(PIXELS, -100), {"weight": WEIGHT}, LOG, IMAGES),
    "squares": Case(F.mse_loss, normal(N, C)),
    "squares, sequences": Case(F.mse_loss, normal(N, 2, C), x=ROWS),
    "absolute": Case(F.l1_loss, normal(N, C)),
    "Huber": Case(F.huber_loss, normal(N, C)),
    "Huber, delta": Case(F.huber_loss, normal(N, C), {"delta": 0.4}),
    "smooth absolute": Case(F.smooth_l1_loss, normal(N, C)),
    "smooth absolute, beta": Case(F.smooth_l1_loss, normal(N, C), {"beta": 0.4}),
    "binary": Case(BCE, BITS, end=PROBABILITY),
    "binary, weight": Case(BCE, BITS, {"weight": WEIGHT}, PROBABILITY),
    "binary logits": Case(LOGITS, BITS),
    "binary logits, weight": Case(LOGITS, BITS, {"weight": WEIGHT}),
    "binary logits, pos_weight": Case(LOGITS, BITS, {"pos_weight": MORE}),
    "binary logits, both": Case(LOGITS, BITS, {"weight": WEIGHT, "pos_weight": MORE}),
    "divergence, batchmean": Case(KL, SOFT, {"reduction": "batchmean"}, LOG),
    "divergence, batchmean, log_target": Case(KL, SOFT.log(), {"reduction": "batchmean", "log_target": True}, LOG),
    "Poisson": Case(POISSON, 3 * BITS),
    "Poisson, rates": Case(POISSON, 3 * BITS, {"log_input": False, "eps": 1e-3}, POSITIVE),
    "Poisson, full": Case(POISSON, 3 * BITS, {"full": True}),
    "soft margin": Case(F.soft_margin_loss, SIGNS),
    "hinge embedding": Case(F.hinge_embedding_loss, SIGNS),
    "hinge embedding, margin": Case(F.hinge_embedding_loss, SIGNS, {"margin": 0.3}),
    "multi-margin": Case(F.multi_margin_loss, labels(N)),
    "multi-margin, all options": Case(F.multi_margin_loss, labels(N), {"p": 2, "margin": 0.5, "weight": WEIGHT}),
    "multi-label margin": Case(F.multilabel_margin_loss, LISTED),
    "multi-label soft margin": Case(F.multilabel_soft_margin_loss, BITS),
    "multi-label soft margin, weight": Case(F.multilabel_soft_margin_loss, BITS, {"weight": WEIGHT}),
    "multi-label soft margin, rows": Case(F.multilabel_soft_margin_loss, normal(N, 2, C).sigmoid().round(), x=ROWS),
}
#: torch warns that its own default, the mean over elements, is not the divergence.
DIVERGENCE = {
    "divergence": Case(KL, SOFT, end=LOG),
    "divergence, log_target": Case(KL, SOFT.log(), {"log_target": True}, LOG),
}
quiet = pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
ALL = CASES | DIVERGENCE
every_case = pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
SPLITS = ((12,), (5, 5, 2), (3, 5, 4), (1,) * 12)


def test_every_recognised_loss_is_tested() -> None:
    assert {case.function for case in ALL.values()} == set(COUNTS)
    assert {function for function, _ in MODULES.values()} == set(COUNTS)


def batches(x: Tensor, y: Tensor, sizes: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(x.split(sizes), y.split(sizes), strict=True))


def close(found: Any, expected: Any) -> None:
    torch.testing.assert_close(torch.as_tensor(found, dtype=DOUBLE), expected, rtol=1e-10, atol=1e-12)


@quiet
@every_case
@pytest.mark.parametrize("form", ["loss", "module", "nested"])
def test_sum_over_number_is_torchs_mean(case: Case, form: str) -> None:
    loss = getattr(case, form)()
    output = case.model()(case.x)
    terms = loss_terms(loss)
    total, number = terms.terms(output, case.target)
    assert terms.mean
    assert terms.check is None, "not recognised"
    close(total.detach() / number, loss(output, case.target).detach())


@quiet
@every_case
def test_any_split_is_the_same_function(case: Case, reference: Any) -> None:
    """Value, gradient and Hessian product; (3, 5, 4) begins with a batch that is ignored altogether where any is."""
    model, loss = case.model(), case.loss()
    twice = case.function not in SUMS
    expected = reference(model, lambda forward: loss(forward(case.x), case.target), second=twice)
    v = torch.randn(len(expected.gradient), dtype=DOUBLE)
    image = expected.hessian @ v if twice else finite_difference(model, case, v)
    for sizes in SPLITS:
        land = eg.Landscape(model, loss, batches(case.x, case.target, sizes))
        value, gradient = land.value_and_gradient()
        close(value, expected.value)
        close(land.value(), expected.value)
        close(gradient, expected.gradient)
        tolerance = {"rtol": 1e-10, "atol": 1e-12} if twice else {"rtol": 1e-6, "atol": 1e-8}
        torch.testing.assert_close(eg.hessian(land) @ v, image, **tolerance)


def finite_difference(model: nn.Module, case: Case, v: Tensor) -> Tensor:
    """H v from torch's first derivatives, for its losses that have no second."""
    theta, step = nn.utils.parameters_to_vector(model.parameters()).detach(), 1e-5
    slopes = []
    for sign in (1, -1):
        nn.utils.vector_to_parameters(theta + sign * step * v, model.parameters())
        parts = torch.autograd.grad(case.loss()(model(case.x), case.target), list(model.parameters()))
        slopes.append(torch.cat([part.reshape(-1) for part in parts]))
    nn.utils.vector_to_parameters(theta, model.parameters())
    return (slopes[0] - slopes[1]) / (2 * step)


@pytest.mark.parametrize("function", [F.mse_loss, F.l1_loss, F.huber_loss], ids=lambda f: f.__name__)
def test_weights_of_elements(function: Callable[..., Tensor], reference: Any) -> None:
    """torch divides squares and absolute values by the sum of the weights, Huber's by the number of elements."""
    model, w, y = network(), uniform(6, C), normal(N, C)
    expected = reference(model, lambda forward: function(forward(X), y, weight=w.repeat(2, 1)))
    land = eg.Landscape(model, partial(function, weight=w), batches(X, y, (6, 6)))
    close(land.value(), expected.value)
    close(land.gradient(), expected.gradient)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.CrossEntropyLoss(), torch.tensor(2)),
        (nn.CrossEntropyLoss(weight=WEIGHT), torch.tensor(1)),
        (nn.CrossEntropyLoss(weight=WEIGHT), SOFT[0]),
        (nn.MultiMarginLoss(), torch.tensor(2)),
        (nn.MultiLabelSoftMarginLoss(), BITS[0]),
        (nn.MSELoss(), SIGNS[0]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_a_sample_without_batch_dimension(loss: nn.Module, target: Tensor) -> None:
    output = normal(C)
    total, number = loss_terms(loss).terms(output, target)
    close(total / number, loss(output, target))


TENSOR_OPTIONS = {name: case for name, case in ALL.items() if {"weight", "pos_weight"} & case.options.keys()}


@pytest.mark.parametrize("case", TENSOR_OPTIONS.values(), ids=TENSOR_OPTIONS.keys())
@pytest.mark.parametrize(("of_weights", "of_landscape"), [(torch.float32, DOUBLE), (DOUBLE, torch.float32)])
def test_weights_follow_the_landscapes_dtype(case: Case, of_weights: torch.dtype, of_landscape: torch.dtype) -> None:
    """Class weights of one dtype, a landscape of another: torch alone refuses to mix them."""
    model = case.model()
    exact = float(case.loss()(model(case.x), case.target).detach())
    options = {k: v.to(of_weights) if isinstance(v, Tensor) else v for k, v in case.options.items()}
    land = eg.Landscape(model, partial(case.function, **options), (case.x, case.target), dtype=of_landscape)
    assert land.value() == pytest.approx(exact, rel=2e-6)
    assert land.gradient().dtype == of_landscape


@pytest.mark.parametrize("form", ["loss", "module"])
@pytest.mark.parametrize("name", ["cross-entropy, all options", "squares", "multi-margin", "Poisson"])
def test_a_sum_stays_a_sum(name: str, form: str, reference: Any) -> None:
    case = ALL[name]
    summed = Case(case.function, case.target, {**case.options, "reduction": "sum"}, case.end, case.x)
    model, loss = case.model(), getattr(summed, form)()
    expected = reference(model, lambda forward: loss(forward(X), case.target), second=False)
    for sizes in SPLITS:
        land = eg.Landscape(model, loss, batches(X, case.target, sizes))
        close(land.value(), expected.value)
        close(land.gradient(), expected.gradient)


def test_two_losses_of_one_split_are_d1(tanh_mlp: nn.Module, ragged: Any, whole: Any, mlp_reference: Any) -> None:
    """D1: batches of 32, 32 and 6. An equal average of the three is off by far more than rounding."""
    land = eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), ragged)
    v = torch.randn(land.n, dtype=DOUBLE)
    right = mlp_reference.hessian @ v
    equal = sum(eg.hessian(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), batch)) @ v for batch in ragged) / 3
    close(eg.hessian(land) @ v, right)
    close(eg.hessian(eg.Landscape(tanh_mlp, nn.CrossEntropyLoss(), whole)) @ v, right)
    assert (equal - right).norm() > 0.05 * right.norm()


def test_a_compiled_loss_is_still_torchs(tanh_mlp: nn.Module, ragged: Any) -> None:
    """With class weights, it is no mean over samples."""
    loss = nn.CrossEntropyLoss(weight=torch.tensor([0.5, 1.0, 3.0], dtype=DOUBLE))
    compiled = torch.compile(loss, backend="eager")
    assert torch.equal(*(eg.Landscape(tanh_mlp, each, ragged).gradient() for each in (loss, compiled)))


# --- what cannot be a loss


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(reduction="none"), partial(F.cross_entropy, reduction="none")])
def test_no_reduction_is_refused_at_once(loss: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    with pytest.raises(LossError, match=r'cross_entropy has reduction="none".*Use reduction="mean" or "sum"'):
        eg.Landscape(tanh_mlp, loss, ragged)


@pytest.mark.parametrize("loss", [nn.MSELoss(reduction="average"), partial(F.mse_loss, reduction="batchmean")])
def test_an_unknown_reduction_is_refused_at_once(loss: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    """torch takes such a name when the loss is made, and would raise when it is called."""
    with pytest.raises(LossError, match=r"mse_loss has reduction='(average|batchmean)'; it must be one of"):
        eg.Landscape(tanh_mlp, loss, ragged)


@pytest.mark.parametrize("terms", [None, "samples", "elements", "sum", lambda output, target: 1])
def test_a_loss_must_be_a_scalar(terms: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, lambda output, target: output.sum(1), ragged, terms=terms)
    with pytest.raises(LossError, match=r"must return a scalar, got shape \(32,\)"):
        land.value()


@pytest.mark.parametrize("terms", [None, "samples", "elements", "sum", lambda output, target: 1])
@pytest.mark.parametrize("result", [1.0, None, "low"], ids=repr)
def test_a_loss_must_be_a_tensor(terms: Any, result: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, lambda output, target: result, ragged, terms=terms)
    with pytest.raises(LossError, match=rf"must return a scalar tensor, got {type(result).__name__}"):
        land.value()


@pytest.mark.parametrize("terms", ["batches", "mean", 3])
def test_unknown_terms_are_named(terms: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    with pytest.raises(ArgumentError, match=rf'"samples", "elements", "sum" or a function .* got {terms!r}'):
        eg.Landscape(tanh_mlp, lambda output, target: output.mean(), ragged, terms=terms)


# --- losses of the user


def mean_over_samples(output: Tensor, target: Tensor) -> Tensor:
    return (output.logsumexp(1) - output[torch.arange(len(output)), target]).mean()


def sum_over_samples(output: Tensor, target: Tensor) -> Tensor:
    return mean_over_samples(output, target) * len(output)


def masked_mean(output: Tensor, target: Tensor) -> Tensor:
    """A mean over the samples whose target is not -1, whose number varies from batch to batch."""
    kept = target != -1
    return F.cross_entropy(output[kept], target[kept])


class Focal(nn.CrossEntropyLoss):
    """A subclass of one of torch's losses is not that loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        each = F.cross_entropy(input, target, reduction="none")
        return ((1 - (-each).exp()) ** 2 * each).mean()


@pytest.mark.parametrize(
    "loss",
    [
        mean_over_samples,
        Focal(),
        lambda z, y: F.cross_entropy(z, y),
        partial(lambda a, z, y: a * z[y == 0].sum() / len(z), 2),
    ],
    ids=["function", "subclass", "lambda", "partial with arguments"],
)
def test_a_mean_over_samples_is_weighted(loss: Any, tanh_mlp: nn.Module, ragged: Any, reference: Any) -> None:
    x, y = (torch.cat(parts) for parts in zip(*ragged, strict=True))
    expected = reference(tanh_mlp, lambda forward: loss(forward(x), y))
    land = eg.Landscape(tanh_mlp, loss, ragged)
    v = torch.randn(land.n, dtype=DOUBLE)
    close(land.value(), expected.value)
    close(land.gradient(), expected.gradient)
    close(eg.hessian(land) @ v, expected.hessian @ v)


@pytest.mark.parametrize("loss", [mean_over_samples, Focal()])
def test_a_mean_over_samples_passes_in_float32(loss: Any) -> None:
    """The check allows for rounding, on outputs of any size."""
    x, y = torch.randn(5000, 3), torch.randint(0, 3, (5000,))
    for factor in (1e-4, 1.0, 1e4):
        model = nn.Linear(3, 3)
        with torch.no_grad():
            model.weight.mul_(factor)
        assert eg.Landscape(model, loss, (x, y)).value() > 0


NOT_MEANS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a sum": sum_over_samples,
    "a masked mean": masked_mean,
    "a root of a mean": lambda z, y: F.mse_loss(z, z.detach() + 1 + y.unsqueeze(1)).sqrt(),
    "a maximum": lambda z, y: z.max(),
    "a sum by a legacy option": partial(F.cross_entropy, size_average=False),
    "a contrast between samples": lambda z, y: torch.cdist(z, z).mean(),
    "fails on a part": lambda z, y: (z.view(8, 8, 3).mean()) if len(z) == 64 else z.view(-1, 32, 3).mean(),
}


@pytest.mark.filterwarnings("ignore:size_average and reduce args")
@pytest.mark.parametrize("loss", NOT_MEANS.values(), ids=NOT_MEANS.keys())
@pytest.mark.parametrize(
    "call",
    [
        lambda land: land.value(),
        lambda land: land.gradient(),
        lambda land: eg.trace(land),
        lambda land: eg.trace(land, operator="ggn"),
    ],
    ids=["value", "gradient", "hessian", "ggn"],
)
def test_anything_else_is_refused_and_told_of_terms(loss: Any, call: Any, tanh_mlp: nn.Module, whole: Any) -> None:
    x, y = whole[0][:32], whole[1][:32].clone()
    y[:5] = -1 if loss is masked_mean else y[:5]
    land = eg.Landscape(tanh_mlp, loss, (x, y))
    with pytest.raises(LossError, match=r'is not a mean over samples.*terms="elements", terms="sum" or terms=lambda'):
        call(land)
    with pytest.raises(LossError, match="is not a mean over samples"):  # nor is it forgotten
        call(land)


def test_also_where_only_the_second_batch_shows_it(tanh_mlp: nn.Module, whole: Any) -> None:
    """The first batch has nothing masked, so that there the loss is a mean over samples."""
    x, y = whole[0][:20], whole[1][:20].clone()
    y[12:16] = -1
    land = eg.Landscape(tanh_mlp, masked_mean, batches(x, y, (10, 10)))
    with pytest.raises(LossError, match=r"masked_mean is not a mean over samples.*On a batch of 10 samples"):
        land.value()


def test_the_refusal_names_loss_sizes_and_sums(tanh_mlp: nn.Module, whole: Any) -> None:
    land = eg.Landscape(tanh_mlp, sum_over_samples, (whole[0][:9], whole[1][:9]))
    with pytest.raises(LossError, match=r"sum_over_samples .* of 9 samples, 9 x loss is .* parts of 3 and 6"):
        land.value()


def test_the_check_runs_once(tanh_mlp: nn.Module, ragged: Any) -> None:
    calls: list[int] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        calls.append(len(output))
        return mean_over_samples(output, target)

    land = eg.Landscape(tanh_mlp, loss, ragged)
    land.value()
    assert len(calls) == 3 * 4
    calls.clear()
    land.value()
    land.at(land.theta).scaled(2.0).value()
    assert len(calls) == 3 + 3


def test_nan_in_a_users_loss_is_named_as_nan(tanh_mlp: nn.Module, ragged: Any) -> None:
    ragged[1][0][3] = torch.nan
    land = eg.Landscape(tanh_mlp, mean_over_samples, ragged)
    with pytest.raises(LossError, match="loss is nan on batch 1"):
        land.value()


TERMS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Any]] = {
    "samples": (mean_over_samples, "samples"),
    "elements": (lambda z, y: (z**2).mean(), "elements"),
    "a function": (masked_mean, lambda z, y: (y != -1).sum()),
    "a function to float": (masked_mean, lambda z, y: float((y != -1).sum())),
}


@pytest.mark.parametrize(("loss", "terms"), TERMS.values(), ids=TERMS.keys())
def test_terms_are_taken_at_their_word(loss: Any, terms: Any, tanh_mlp: nn.Module, whole: Any, reference: Any) -> None:
    x, y = whole[0][:N], whole[1][:N].clone()
    y[[1, 2, 7]] = -1 if loss is masked_mean else 0
    expected = reference(tanh_mlp, lambda forward: loss(forward(x), y))
    for sizes in SPLITS[:3]:
        land = eg.Landscape(tanh_mlp, loss, batches(x, y, sizes), terms=terms)
        close(land.value(), expected.value)
        close(land.gradient(), expected.gradient)


def test_terms_sum_adds_batches_up(tanh_mlp: nn.Module, whole: Any, reference: Any) -> None:
    x, y = whole
    expected = reference(tanh_mlp, lambda forward: sum_over_samples(forward(x), y))
    for sizes in ((70,), (32, 32, 6)):
        land = eg.Landscape(tanh_mlp, sum_over_samples, batches(x, y, sizes), terms="sum")
        close(land.value(), expected.value)
        close(land.gradient(), expected.gradient)


def test_samples_are_counted_in_targets_first() -> None:
    """A sequence model gives (N T, C) outputs for N targets: the target says how many samples there are."""
    terms = loss_terms(lambda output, target: torch.tensor(2.0), "samples")
    assert terms.terms(torch.ones(6, 2), torch.ones(3))[1] == 3
    assert terms.terms({"a": torch.ones(6, 2)}, None)[1] == 6
    assert terms.terms(torch.tensor(1.0), None)[1] == 1
    assert terms.terms(torch.ones(5, 2), {"y": torch.ones(4, 1)})[1] == 4


# --- batch_loss


def token_loss(model: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    logits = model(batch["x"])
    return F.cross_entropy(logits, batch["y"], reduction="sum"), (batch["y"] != -100).sum()


def test_batch_loss_weights_by_its_number(tanh_mlp: nn.Module, whole: Any, reference: Any) -> None:
    x, y = whole[0][:N], some_ignored(whole[1][:N], -100)
    expected = reference(tanh_mlp, lambda forward: F.cross_entropy(forward(x), y))
    for sizes in SPLITS:
        data = [{"x": a, "y": b} for a, b in batches(x, y, sizes)]
        land = eg.Landscape(tanh_mlp, batch_loss=token_loss, data=data)
        v = torch.ones(land.n, dtype=DOUBLE)
        close(land.value(), expected.value)
        close(land.gradient(), expected.gradient)
        close(eg.hessian(land) @ v, expected.hessian @ v)


@pytest.mark.parametrize("result", [torch.tensor(1.0), (torch.tensor(1.0),), [torch.tensor(1.0), 1], None], ids=repr)
def test_batch_loss_must_return_a_pair(result: Any, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, batch_loss=lambda model, batch: result, data=ragged)
    with pytest.raises(LossError, match=r"batch_loss must return \(sum of the loss terms, their number\).* on batch 0"):
        land.value()


@pytest.mark.parametrize(("total", "what"), [(torch.ones(2), r"shape \(2,\)"), (2.0, "float")])
def test_batch_loss_must_return_a_scalar_sum(total: Any, what: str, tanh_mlp: nn.Module, ragged: Any) -> None:
    land = eg.Landscape(tanh_mlp, batch_loss=lambda model, batch: (total, 1), data=ragged)
    with pytest.raises(LossError, match=f"must be a scalar tensor, got {what} on batch 0"):
        land.value()
