"""Traces by parts against dense matrices: exact ones to rounding, sampled ones within their own errors."""

import pytest
import torch
import torch.nn.functional as F
from tests.layerwise.networks import CASES, landscape
from torch import Tensor, nn

import egregium as eg
from egregium.curvature import parts, trace_by_parts
from egregium.estimators.traces import begun_trace, further
from egregium.layerwise import RouteError, chain_remainder_trace, exact_gauss_newton_trace, structure, trace_pass
from egregium.operators import dense_matrix
from egregium.stats import student_half_width


@pytest.mark.parametrize("name", CASES)
def test_the_structure_is_found(name: str) -> None:
    found, case = structure(landscape(name)), CASES[name]
    assert (found.whole, found.affine, found.chain) == (case.whole, case.affine, case.chain)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.whole])
def test_the_gauss_newton_trace_is_exact(name: str) -> None:
    land = landscape(name)
    found = exact_gauss_newton_trace(land.scaled(3.0), structure(land))
    assert found == pytest.approx(3 * float(dense_matrix(eg.ggn(land)).trace()), rel=1e-10)


@pytest.mark.parametrize("name", ["relu", "tanh", "three tanh", "batch norm", "convolutions", "one dimension"])
def test_a_bias_that_is_not_measured_has_no_part(name: str) -> None:
    """Its gradients are none of theta's: not in tr G, not in the layers' probes, not in the dual."""
    land = landscape(name)
    assert land.model is not None
    for module in land.model.modules():
        if getattr(module, "bias", None) is not None:
            module.bias.requires_grad_(False)
    land = eg.Landscape(land.model, nn.CrossEntropyLoss(), land.data)
    found, H, G = structure(land), dense_matrix(eg.hessian(land)), dense_matrix(eg.ggn(land))
    assert found.whole
    assert exact_gauss_newton_trace(land, found) == pytest.approx(float(G.trace()), rel=1e-10)
    x = torch.tensor([trace_pass(land, found, "hessian", 11, j).total for j in range(200)], dtype=torch.float64)
    assert abs(float(x.mean()) - float(H.trace())) <= 4.5 * float(x.std()) / 200**0.5 + 1e-9
    square = eg.squared_frobenius(land, method="dual", operator="ggn").value
    assert square == pytest.approx(float(G.square().sum()), rel=1e-9)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.affine])
def test_affine_outputs_have_no_remainder(name: str) -> None:
    """What `affine` claims: the diagonal of H - G is zero."""
    land = landscape(name)
    D = dense_matrix(eg.hessian(land)) - dense_matrix(eg.ggn(land))
    assert float(D.diagonal().abs().max()) < 1e-12


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.chain])
def test_the_closed_form_of_a_chain(name: str) -> None:
    land = landscape(name)
    D = dense_matrix(eg.hessian(land)) - dense_matrix(eg.ggn(land))
    assert chain_remainder_trace(land) == pytest.approx(float(D.trace()), rel=1e-9)


PARTS = ("hessian", "remainder", "gauss-newton")  # the last needs every parameter to be covered


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in CASES for part in PARTS[: 2 + CASES[name].whole]])
def test_passes_are_unbiased(name: str, part: str) -> None:
    """200 passes, fixed seed: within 4.5 of their own standard errors (two-sided chance 7e-6 a case)."""
    land = landscape(name)
    found = structure(land)
    H, G = (float(dense_matrix(op(land)).trace()) for op in (eg.hessian, eg.ggn))
    truth = {"hessian": H, "remainder": H - G, "gauss-newton": G}[part]
    x = torch.tensor([trace_pass(land, found, part, 11, j).total for j in range(200)], dtype=torch.float64)  # type: ignore[arg-type]
    assert abs(float(x.mean()) - truth) <= 4.5 * float(x.std()) / 200**0.5 + 1e-9 * abs(H)


@pytest.mark.parametrize("name", ["three tanh", "tokens", "attention", "recurrent", "used twice"])
@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_sources_give_the_trace_with_its_error(name: str, operator: str) -> None:
    """60 seeds of 8 passes: at 95 % no less than 49 hold the truth (binomial: chance 3e-5 for 48 and fewer)."""
    land = landscape(name, weight_decay=0.3)
    truth = float(dense_matrix((eg.hessian if operator == "hessian" else eg.ggn)(land)).trace())
    held = 0
    for seed in range(60):
        source = trace_by_parts(land, operator, seed)  # type: ignore[arg-type]
        assert source is not None
        trace = begun_trace(source)
        known = (further(trace, 6) if source.sampled else trace).known
        held += abs(known.value - truth) <= student_half_width(known.stderr, 0.95, known.degrees) + 1e-10 * abs(truth)
    assert held >= 49


class Focal(nn.Module):
    """A focal loss: its Hessian in the outputs is indefinite."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        log = F.log_softmax(z, 1).gather(1, y.unsqueeze(1))
        return (-((1 - log.exp()) ** 2) * log).mean()


LOSSES = {
    "class weights, ignored, smoothed": (
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]), ignore_index=1, label_smoothing=0.1),
        lambda n: torch.randint(0, 3, (n,)),
    ),
    "soft targets": (nn.CrossEntropyLoss(), lambda n: torch.softmax(torch.randn(n, 3, dtype=torch.float64), 1)),
    "squared error": (nn.MSELoss(), lambda n: torch.randn(n, 3, dtype=torch.float64)),
    "summed": (nn.MSELoss(reduction="sum"), lambda n: torch.randn(n, 3, dtype=torch.float64)),
    "logits": (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 3.0, 0.2])),
        lambda n: torch.randint(0, 2, (n, 3)).double(),
    ),
    "huber": (nn.HuberLoss(), lambda n: torch.randn(n, 3, dtype=torch.float64)),
    "focal, indefinite": (Focal(), lambda n: torch.randint(0, 3, (n,))),
}


@pytest.mark.parametrize("name", LOSSES)
def test_any_loss(name: str) -> None:
    """tr H of a chain: exact parts, against dense; and R of a run with the interval that it gives."""
    loss, target = LOSSES[name]
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 3)).double()
    data = [(torch.randn(n, 5, dtype=torch.float64), target(n)) for n in (6, 3)]
    land = eg.Landscape(model, loss, data)
    source = trace_by_parts(land)
    assert source is not None
    assert not source.sampled
    assert source.begin()[0] == pytest.approx(float(dense_matrix(eg.hessian(land)).trace()), rel=1e-9)
    truth = eg.scalar_curvature(land, method="exact").value
    e = eg.scalar_curvature(land, method="stochastic", rtol=0.1, budget=3000, seed=2)
    assert abs(e.value - truth) <= 3 * e.half_width()


def test_outputs_of_one_number_a_sample_need_no_second_dimension() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 1), nn.Flatten(0)).double()
    data = [(torch.randn(n, 5).double(), torch.randint(0, 2, (n,)).double()) for n in (6, 3)]
    land = eg.Landscape(model, nn.BCEWithLogitsLoss(), data)
    truth = float(dense_matrix(eg.ggn(land)).trace())
    assert exact_gauss_newton_trace(land, structure(land)) == pytest.approx(truth, rel=1e-10)


def test_a_loss_that_couples_samples_is_left_to_the_general_way() -> None:
    """Its Hessian in the outputs is not one block a sample."""
    model = nn.Linear(4, 2).double()

    def contrast(z: Tensor, y: Tensor) -> Tensor:
        return (z @ z.T).square().mean()

    land = eg.Landscape(model, contrast, [(torch.randn(6, 4).double(), torch.zeros(6))], terms="sum")
    assert structure(land).width == 0
    assert trace_by_parts(land) is None


class Forked(nn.Module):
    """Takes its inner layer twice where a batch is small."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.head = nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.inner(F.relu(self.first(x))))
        return self.head(F.relu(self.inner(h)) if len(x) < 8 else h)


def test_a_batch_that_goes_another_way_is_left_to_the_general_way() -> None:
    """Batches of 9 look affine; one of 7 uses a layer twice, and tr H is no longer what the layers give."""
    torch.manual_seed(2)
    data = [(torch.randn(n, 5).double(), torch.randint(0, 3, (n,))) for n in (9, 7)]
    land = eg.Landscape(Forked().double(), nn.CrossEntropyLoss(), data)
    assert structure(land).whole
    with pytest.raises(RouteError, match="Batch 1 takes another way"):
        exact_gauss_newton_trace(land, structure(land))
    H = dense_matrix(eg.hessian(land))
    for call, truth in ((eg.trace, H.trace()), (eg.scalar_curvature, eg.scalar_curvature(land, method="exact").value)):
        e = call(land, method="stochastic", rtol=0.1, budget=3000)
        assert abs(e.value - float(truth)) <= 3 * e.half_width()


def test_a_penalty_inside_the_loss_is_left_to_the_general_way() -> None:
    """tr H then is not tr G: the penalty is no function of the outputs."""
    model = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 3)).double()

    def penalised(z: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(z, y) + 0.5 * sum(p.square().sum() for p in model.parameters())

    data = [(torch.randn(6, 5).double(), torch.randint(0, 3, (6,)))]
    land = eg.Landscape(model, penalised, data, terms="samples")
    truth = float(dense_matrix(eg.hessian(land)).trace())
    assert structure(land).penalised
    assert trace_by_parts(land) is None
    e = eg.trace(land, method="stochastic", rtol=0.05)
    assert abs(e.value - truth) <= 3 * e.half_width()


def test_what_a_pass_draws_depends_on_seed_and_index_alone() -> None:
    land = landscape("three tanh")
    found = structure(land)
    state = torch.random.get_rng_state()
    first, again, other = (trace_pass(land, found, "hessian", 5, j).values for j in (2, 2, 3))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_nothing_is_left_on_the_model() -> None:
    land = landscape("convolutions")
    before = {k: v.clone() for k, v in land.model.state_dict().items()}  # type: ignore[union-attr]
    eg.scalar_curvature(land, method="stochastic", rtol=0.3)
    after = land.model.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert not torch.nn.modules.module._global_forward_hooks
    assert all(not module._forward_hooks for module in land.model.modules())  # type: ignore[union-attr]


def test_a_wrong_trace_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probes' own traces contradict it."""
    land = landscape("relu")
    right = parts.exact_gauss_newton_trace
    monkeypatch.setattr(parts, "exact_gauss_newton_trace", lambda *a: 8 * right(*a))
    e = eg.scalar_curvature(land, method="stochastic", rtol=0.05, budget=3000)
    truth = eg.scalar_curvature(land, method="exact").value
    assert "the same probes" in e.method
    assert abs(e.value - truth) <= 3 * e.half_width()
