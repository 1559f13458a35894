"""Networks and losses that look like sums over samples and are not: the trace is right, by whatever way.

The oracle is the exact way, all columns. Each case gave a wrong trace, said to be exact, when samples were looked at
in the first batch alone.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import egregium as eg

DOUBLE = torch.float64
Batches = list[tuple[Tensor, Tensor]]


class Two(nn.Module):
    """Two layers, and what lies between and around them."""

    def __init__(self, way: Callable[["Two", Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last, self.way = nn.Linear(5, 9), nn.Linear(9, 3), way
        if way in (one_row, routed):
            self.other = nn.Linear(5, 9)

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self, x)


def one_row(net: Two, x: Tensor) -> Tensor:
    k = (x[:, 0] > 2).nonzero().squeeze(1)
    return net.last(net.first(x).index_add(0, k, net.other(x[k])).relu())


def routed(net: Two, x: Tensor) -> Tensor:
    left = x[:, 1] > 0
    h = x.new_zeros(len(x), 9)
    h[left], h[~left] = net.first(x[left]), net.other(x[~left])
    return net.last(h.relu())


def ordered(net: Two, x: Tensor) -> Tensor:
    i = x[:, 0].argsort(descending=True)
    return net.last(net.first(x[i]).relu())[i.argsort()]


def summed_up(net: Two, x: Tensor) -> Tensor:
    return net.last(net.first(x).relu().cumsum(0) / 4)


def centred(net: Two, x: Tensor) -> Tensor:
    h = net.first(x).relu()
    return net.last(h - 0.5 * h.mean(0))


def by_hand_later(net: Two, x: Tensor) -> Tensor:
    """In one logit alone: a cross-entropy does not see what is added to all of them."""
    z, one = net.last(net.first(x).relu()), torch.tensor([1.0, 0.0, 0.0], dtype=DOUBLE)
    return z + (x[:, :1] > 2) * net.first.weight.sum() * one if bool((x[:, 0] > 2).any()) else z


def batches(*sizes: int, rare: tuple[int, ...] = ()) -> Batches:
    """Inputs below 1.9, but for the first number of the first sample of some batches."""
    found = []
    for b, size in enumerate(sizes):
        x = torch.randn(size, 5, dtype=DOUBLE).clamp(max=1.9)
        if b in rare:
            x[0, 0] = 3.0
        found.append((x, torch.randint(0, 3, (size,))))
    return found


CASES: dict[str, tuple[Callable[[Two, Tensor], Tensor], dict[str, Any], dict[str, Any]]] = {
    "one row": (one_row, {"sizes": (20, 20, 20), "rare": (0, 1, 2)}, {}),
    "routed": (routed, {"sizes": (32,)}, {}),
    "ordered, ignored": (ordered, {"sizes": (20,)}, {"ignore_index": 0}),
    "ordered, weighted": (ordered, {"sizes": (20,)}, {"weight": torch.tensor([0.1, 1.0, 3.0], dtype=DOUBLE)}),
    "summed up": (summed_up, {"sizes": (24,)}, {}),
    "centred, first batch of one": (centred, {"sizes": (1, 9, 4)}, {}),
    "by hand later": (by_hand_later, {"sizes": (20, 20), "rare": (1,)}, {}),
}


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
@pytest.mark.parametrize("coordinates", ["theta", "normalised"])
@pytest.mark.parametrize("name", CASES)
def test_the_trace_is_right_or_sampled(name: str, coordinates: str, operator: Any) -> None:
    """An exact trace is that of all columns; a sampled one and R are within 1.5 half-widths at 99 %."""
    torch.manual_seed(2)
    way, data, loss = CASES[name]
    land = eg.Landscape(
        Two(way).double(), nn.CrossEntropyLoss(**loss), batches(*data["sizes"], rare=data.get("rare", ()))
    )
    land = land if coordinates == "theta" else land.normalised()
    for number in (eg.trace, eg.scalar_curvature):
        exact = number(land, method="exact", operator=operator).value
        e = number(land, method="stochastic", operator=operator, rtol=0.1, confidence=0.99)
        assert abs(e.value - exact) <= 1.5 * e.half_width() + 1e-9 * abs(exact)


def cox(z: Tensor, y: Tensor) -> Tensor:
    """Cox's partial likelihood: a sample's risk set holds the others."""
    t, event = y.T
    z = z.reshape(-1)
    risk = torch.where(t.unsqueeze(0) >= t.unsqueeze(1), z.expand(len(z), -1), -torch.inf)
    return -((z - risk.logsumexp(1)) * event).sum()


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
def test_a_loss_over_pairs_of_samples(activation: type[nn.Module]) -> None:
    torch.manual_seed(0)
    t, event = torch.rand(30, dtype=DOUBLE).sort().values, (torch.rand(30) < 0.6).double()
    event[0] = 0
    net = nn.Sequential(nn.Linear(5, 12), activation(), nn.Linear(12, 1)).double()
    data = (torch.randn(30, 5, dtype=DOUBLE), torch.stack([t, event], dim=1))
    land = eg.Landscape(net, cox, data, terms="sum")
    exact, e = eg.trace(land, method="exact").value, eg.trace(land, rtol=0.1, method="stochastic")
    assert "exact" not in e.method
    assert abs(e.value - exact) <= 2 * e.half_width()
    with pytest.raises(eg.EgregiumError, match=r"not a sum over samples|cannot be used"):
        eg.squared_frobenius(land, operator="ggn", method="dual")


def test_outputs_in_different_units_in_single_precision() -> None:
    """A loss that refuses float64, a million times steeper in one output whose gradients are a millionth as large."""
    torch.manual_seed(0)
    steep = torch.tensor([1e6, 1.0])

    def loss(z: Tensor, y: Tensor) -> Tensor:
        if z.dtype != torch.float32:
            raise TypeError("float32 only")
        return ((z - y) * steep * (z - y)).sum(1).mean()

    class Units(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 2))

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x) * torch.tensor([1.0, 1000.0])

    land = eg.Landscape(Units(), loss, (torch.randn(40, 5), torch.randn(40, 2)))
    assert eg.trace(land).value == pytest.approx(eg.trace(land, method="exact").value, rel=1e-4)


class Keeping(nn.Module):
    """A recurrence that keeps its first state from call to call, and what a helper and a hook keep."""

    def __init__(self, helper: dict[int, Tensor]) -> None:
        super().__init__()
        self.recurrence, self.head = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 3)
        self.state: Tensor | None = None
        self.helper = [helper]

    def forward(self, x: Tensor) -> Tensor:
        if self.state is None or self.state.shape[1] != len(x):
            self.state = x.new_zeros(1, len(x), 5)
        bias = self.helper[0].setdefault(len(x), x.new_zeros(len(x), 3))
        return self.head(self.recurrence(x, self.state)[0][:, -1]) + bias


def test_nothing_dead_is_left_in_a_model_that_keeps_tensors() -> None:
    torch.manual_seed(0)
    helper: dict[int, Tensor] = {}
    logged: list[Tensor] = []
    model = Keeping(helper).double()
    model.head.register_forward_hook(lambda module, args, out: logged.append(out.detach()))
    data = [(torch.randn(n, 3, 4, dtype=DOUBLE), torch.randint(0, 3, (n,))) for n in (9, 4, 1)]
    land = eg.Landscape(model, nn.CrossEntropyLoss(), data)
    e = eg.trace(land, operator="ggn")
    assert e.value == pytest.approx(eg.trace(land, operator="ggn", method="exact").value, rel=1e-9)
    assert "gradients of single samples" in e.method
    for kept in (*helper.values(), *logged, model(data[2][0])):
        assert kept.sum().item() == kept.sum().item()
