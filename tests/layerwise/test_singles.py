"""tr G with gradients of single samples, against explicit Jacobians; what is refused; what is held at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call

import egregium as eg
from egregium.curvature import trace_by_parts
from egregium.errors import OutOfMemoryError
from egregium.layerwise import RouteError, exact_gauss_newton_trace, singles, structure

DOUBLE = torch.float64


class ByHand(nn.Module):
    """ReLU network whose weights no layer holds."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.first, self.last = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(4, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x @ self.first) @ self.last


class Sequenced(nn.Module):
    """A recurrence over 3 steps, a head."""

    def __init__(self, kind: type[nn.RNNBase], **options: Any) -> None:
        super().__init__()
        self.recurrence = kind(5, 4, batch_first=True, **options)
        self.head = nn.Linear(8 if options else 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.recurrence(x)[0][:, -1])


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.attention(x, x, x)[0].mean(1))


class Tied(nn.Module):
    """One weight to code and to decode, a known layer between."""

    def __init__(self) -> None:
        super().__init__()
        self.code, self.between, self.decode = nn.Linear(5, 4), nn.Linear(4, 4), nn.Linear(5, 4, bias=False)
        self.decode.weight = self.code.weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(torch.tanh(self.between(self.code(x))), self.decode.weight.T)


class Two(nn.Module):
    """Two inputs of a sample, four numbers out as a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.v = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(3, 2))

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        return (torch.sin(x @ self.w) * scale.unsqueeze(1)).view(-1, 2, 2) + self.v.sum(0)


class Asking(ByHand):
    """Asks for a number of the data, which vmap cannot tell."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (2.0 if x.abs().max().item() > 0 else 1.0)


class Checkpointed(ByHand):
    """Runs again in the backward pass."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(super().forward, x, use_reentrant=False)  # type: ignore[no-any-return]


class Masking(ByHand):
    """Keeps what it made in its first pass."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.mask is None:
            self.mask = torch.tril(torch.ones(5, 5, dtype=x.dtype)) * 2.0
        return super().forward(x @ self.mask)


def vectors(n: int) -> Tensor:
    return torch.randn(n, 5, dtype=DOUBLE)


def steps(n: int) -> Tensor:
    return torch.randn(n, 3, 5, dtype=DOUBLE)


def classes(n: int) -> Tensor:
    return torch.arange(n) % 3


def numbers(*shape: int) -> Callable[[int], Tensor]:
    return lambda n: torch.randn(n, *shape, dtype=DOUBLE)


WEIGHTS = torch.tensor([1.0, 2.0, 0.5], dtype=DOUBLE)


@dataclass(frozen=True)
class Case:
    """looped: what vmap cannot follow; alone: numbers in no known layer."""

    model: Callable[[], nn.Module]
    x: Callable[[int], Any] = vectors
    y: Callable[[int], Tensor] = classes
    loss: nn.Module | None = None
    looped: bool = False
    alone: int = 32


CASES = {
    "by hand": Case(ByHand),
    "by hand, class weights, ignored": Case(ByHand, loss=nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=1)),
    "by hand, squared error": Case(ByHand, y=numbers(3), loss=nn.MSELoss()),
    "by hand, summed": Case(ByHand, y=numbers(3), loss=nn.MSELoss(reduction="sum")),
    "gru": Case(lambda: Sequenced(nn.GRU), steps, alone=132),
    "lstm": Case(lambda: Sequenced(nn.LSTM, num_layers=2, bidirectional=True), steps, alone=800),
    "attention": Case(Attending, lambda n: torch.randn(n, 3, 4, dtype=DOUBLE), alone=80),
    "tied": Case(Tied, y=numbers(5), loss=nn.MSELoss(), alone=24),
    "two inputs": Case(Two, lambda n: (vectors(n), torch.rand(n, dtype=DOUBLE)), numbers(2, 2), nn.MSELoss(), alone=26),
    "masking": Case(Masking),
    "asking": Case(Asking, looped=True),
    "checkpointed": Case(Checkpointed, looped=True),
}


def land_of(
    model: nn.Module, sizes: tuple[int, ...] = (9, 4, 1), x: Any = vectors, y: Any = classes, loss: Any = None
) -> eg.Landscape:
    return eg.Landscape(model, loss or nn.CrossEntropyLoss(), [(x(n), y(n)) for n in sizes])


def landscape(name: str, sizes: tuple[int, ...] = (9, 4, 1)) -> eg.Landscape:
    case = CASES[name]
    return land_of(case.model().double(), sizes, case.x, case.y, case.loss)


def explicit(land: eg.Landscape) -> float:
    """tr J^T L J by the whole Jacobian and the Hessian of the summed loss in the outputs; torch alone."""
    model, loss = land.model, land._objective._loss  # type: ignore[attr-defined]
    assert model is not None
    model.eval()
    names, sizes = list(land.shapes), [shape.numel() for shape in land.shapes.values()]
    theta = torch.cat([dict(model.named_parameters())[name].detach().reshape(-1) for name in names])
    total, count = 0.0, 0.0
    for x, y in land.data:

        def outputs(point: Tensor, x: Any = x) -> Tensor:
            parts = zip(names, point.split(sizes), land.shapes.values(), strict=True)
            return functional_call(model, {k: p.view(shape) for k, p, shape in parts}, x)

        z = outputs(theta).detach()
        J = jacobian(outputs, theta).reshape(z.numel(), -1)
        L = hessian(lambda z, y=y: loss.terms(z, y)[0], z).reshape(z.numel(), z.numel())
        total += float(torch.einsum("an,ab,bn->", J, L, J))
        count += float(loss.terms(z, y)[1]) if loss.mean else 0.0
    model.train()
    return total / (count or 1.0)


@pytest.mark.parametrize("name", CASES)
def test_the_gauss_newton_trace_is_that_of_the_jacobian(name: str) -> None:
    case, land = CASES[name], landscape(name)
    found = structure(land, complete=True)
    assert not found.whole
    assert found.complete
    assert found.singles is not None
    sizes = [shape.numel() for shape in land.shapes.values()]
    assert (found.singles.looped, sum(sizes[j] for j in found.singles.which)) == (case.looped, case.alone)
    assert exact_gauss_newton_trace(land, found) == pytest.approx(explicit(land), rel=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_touched(name: str, untouched: Callable[..., Any]) -> None:
    land = landscape(name)
    with untouched(land.model, torch.zeros(1)):
        exact_gauss_newton_trace(land, structure(land, complete=True))


def test_the_loop_gives_what_vmap_gives() -> None:
    land = landscape("gru")
    found = structure(land, complete=True)
    assert found.singles is not None
    looped = singles.Singles(found.singles.which, looped=True)
    rest = found.__class__(**{**found.__dict__, "singles": looped})
    assert exact_gauss_newton_trace(land, rest) == pytest.approx(exact_gauss_newton_trace(land, found), rel=1e-12)


class Normalised(ByHand):
    """Samples that act on each other: as much as in a batch norm in training, or as little as can be."""

    def __init__(self, share: float, above: int = 0) -> None:
        super().__init__()
        self.share, self.above = share, above

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - self.share * x.mean(0) if len(x) > self.above else x)


@pytest.mark.parametrize("share", [1.0, 1e-14])
def test_samples_that_act_on_each_other_are_left_to_the_general_way(share: float) -> None:
    """With 1e-14 the outputs and gradients agree to rounding: only what another sample moves, bit for bit, tells."""
    land = land_of(Normalised(share).double())
    found = structure(land, complete=True)
    assert found.singles == singles.Singles()
    assert not found.complete
    assert trace_by_parts(land, "ggn") is None
    e = eg.trace(land, operator="ggn", method="stochastic", rtol=0.1)
    assert "single samples" not in e.method


class Dropping(ByHand):
    """Its outputs are right sample by sample, its gradients are not: a lone sample's graph is cut."""

    def forward(self, x: Tensor) -> Tensor:
        first = self.first.detach() if len(x) == 1 else self.first
        return F.relu(x @ first) @ self.last


def test_gradients_that_differ_stay_unknown() -> None:
    found = structure(land_of(Dropping().double()), complete=True)
    assert found.singles is not None
    assert found.singles.which == (1,)
    assert not found.complete


class Asked(ByHand):
    """vmap cannot follow it where a sample has more than one number of its second input."""

    def forward(self, x: Tensor, times: Tensor) -> Tensor:
        many = times.shape[1] > 1 and times.sum().item() > 0
        return super().forward(x) * (2.0 if many else 1.0)


def test_a_later_batch_that_goes_another_way_is_refused() -> None:
    """Its samples act on each other, or vmap fails: an error, then the general way, and no wrong number."""
    mixing = land_of(Normalised(1.0, above=9).double(), (9, 12))
    data = [((vectors(n), torch.ones(n, m, dtype=DOUBLE)), classes(n)) for n, m in ((9, 1), (6, 2))]
    asking = eg.Landscape(Asked().double(), nn.CrossEntropyLoss(), data)
    for land, said in ((mixing, "act on each other"), (asking, "fails sample by sample")):
        found = structure(land, complete=True)
        assert found.complete
        with pytest.raises(RouteError, match=f"Batch 1 .*{said}"):
            exact_gauss_newton_trace(land, found)
        truth = explicit(land)
        e = eg.trace(land, operator="ggn", method="stochastic", rtol=0.1)
        assert "single samples" not in e.method
        assert abs(e.value - truth) <= 3 * e.half_width()


def test_memory_that_runs_out_is_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    land = landscape("by hand")
    found = structure(land, complete=True)
    monkeypatch.setattr(singles, "_square", lambda g: (_ for _ in ()).throw(torch.OutOfMemoryError("full")))
    with pytest.raises(OutOfMemoryError):
        exact_gauss_newton_trace(land, found)


def test_gradients_are_held_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients of 3 samples fit: batches of 9, 4 and 1 take 3, 2 and 1 chunks, and one forward pass each."""
    land = landscape("by hand")
    found = structure(land, complete=True)
    truth = exact_gauss_newton_trace(land, found)
    held: list[int] = []
    monkeypatch.setattr(singles, "BYTES", 3 * 32 * 8 + 7)
    right = torch.func.vmap

    def vmap(function: Any) -> Any:
        def counted(places: Tensor, *others: Tensor) -> Any:
            held.append(len(places))
            return right(function)(places, *others)

        return counted

    monkeypatch.setattr(torch.func, "vmap", vmap)
    assert exact_gauss_newton_trace(land, found) == pytest.approx(truth, rel=1e-12)
    assert held == [3, 3, 3, 3, 1, 1]
    assert found.singles is not None
    assert found.singles.bytes_held(9, 32 * 8) == singles.COPIES * 3 * 32 * 8


class Counting(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        counts.append(len(x))
        return super().forward(x)


counts: list[int] = []


def test_all_numbers_of_a_sample_share_a_forward_pass() -> None:
    land = land_of(Counting().double())
    found = structure(land, complete=True)
    counts.clear()
    exact_gauss_newton_trace(land, found)
    assert counts == [9, 1, 4, 1, 1, 1]


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_few_outputs_are_taken_one_by_one_and_many_are_not(operator: str) -> None:
    """tr H of an affine network to 24 gradients, tr G to 64; the price is told, and the words."""
    for outputs, taken in ((2, True), (5, True), (6, operator == "ggn"), (15, operator == "ggn"), (16, False)):
        model = ByHand(outputs).double()
        land = land_of(model, (9, 4), y=numbers(outputs), loss=nn.MSELoss())
        source = trace_by_parts(land, operator)  # type: ignore[arg-type]
        if not taken:
            assert source is None or "single samples" not in source.words
            continue
        assert source is not None
        zero = ", tr(H - G) = 0, verified" if operator == "hessian" else ""
        assert source.words == f"tr G exact, {land.n} parameters by gradients of single samples{zero}"
        value, cost = source.begin()
        assert value == pytest.approx(explicit(land), rel=1e-10)
        assert cost.gradients > 3 + 4 * outputs
        assert cost == source.first()


def test_a_loop_is_taken_over_few_samples_alone() -> None:
    """Each pass over a lone sample counts 0.4 gradients: 3 outputs of 52 samples are 62.4, of 54 more than 64."""
    for sizes, taken in (((26, 26), True), ((27, 27), False)):
        source = trace_by_parts(land_of(Asking().double(), sizes), "ggn")
        assert (source is not None) is taken
        if source is not None:
            assert source.first().gradients > 62.4


def test_the_trace_is_exact_by_it() -> None:
    """As the user meets it: no probes, no interval."""
    model = ByHand(2)
    model.first, model.last = nn.Parameter(torch.randn(5, 30)), nn.Parameter(torch.randn(30, 2))
    for operator in ("ggn", "hessian"):
        land = land_of(model.double(), y=numbers(2), loss=nn.MSELoss())
        e = eg.trace(land, operator=operator, method="stochastic", rtol=1e-6)  # type: ignore[arg-type]
        assert "210 parameters by gradients of single samples" in e.method
        assert e.value == pytest.approx(explicit(land), rel=1e-10)
