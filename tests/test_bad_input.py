"""Bad input to the library: what is given, the exception, and the words its sentence must contain.

Whatever was there before is there afterwards, byte for byte: model, data, generators, files.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import egregium as eg
from egregium.errors import (
    ArgumentError,
    ArithmeticalError,
    BudgetError,
    DataError,
    DocumentError,
    LossError,
    OutOfMemoryError,
)

DOUBLE = torch.float64
NAN, INF = float("nan"), float("inf")


def mlp() -> nn.Module:
    """3 inputs, 3 classes, n = 31, in training mode and with gradients of its own."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4, affine=False), nn.Linear(4, 3))
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    return model


def pair() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])


def inputs() -> Tensor:
    return pair()[0]


def classes() -> Tensor:
    return pair()[1]


def spoilt(value: float) -> list[tuple[Tensor, Tensor]]:
    """Two batches, the second with this value in sample 4."""
    x = inputs()
    x[4, 1] = value
    return [pair(), (x, classes())]


def with_nan() -> nn.Module:
    model = mlp()
    model[0].weight.data[0, 0] = NAN  # type: ignore[index, union-attr]
    return model


class Odd(nn.Module):
    """One parameter of any dtype."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        real = dtype.is_complex or dtype.is_floating_point
        self.weight = nn.Parameter(torch.ones(3, 3, dtype=dtype), requires_grad=real)


class Enormous(nn.Module):
    """Asks for 2^60 bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + torch.ones(2**58).sum()


def full(error: Exception) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss in which memory runs out."""

    def loss(z: Tensor, y: Tensor) -> Tensor:
        raise error

    return loss


class Foreign:
    """A user's operator: whatever `product` does."""

    dtype, device = DOUBLE, "cpu"

    def __init__(self, n: int, product: Callable[[Tensor], Any]) -> None:
        self.shape, self._product = (n, n), product

    def __matmul__(self, V: Tensor) -> Any:
        return self._product(V)


def function(f: Callable[[Tensor], Tensor], *theta: float) -> eg.Landscape:
    return eg.Landscape.from_function(f, torch.tensor(theta or (0.0, 0.0)))


def skew() -> Tensor:
    return torch.ones(80, 80, dtype=DOUBLE).triu()


def value(land: eg.Landscape) -> Any:
    return land.value()


def curvature(**options: Any) -> Callable[[eg.Landscape], Any]:
    return lambda land: eg.scalar_curvature(land, **options)


def other() -> eg.Landscape:
    with torch.random.fork_rng():
        return eg.Landscape(nn.Linear(3, 3), nn.CrossEntropyLoss(), pair())


def mean(loss: Callable[[Tensor, Tensor], Any]) -> Callable[[], Any]:
    return lambda: loss


class Case(NamedTuple):
    """`call` of Landscape(model(), loss(), data(), **options) raises `error` with all `words`."""

    name: str
    error: type[Exception]
    words: tuple[str, ...]
    call: Callable[[Any], Any] = value
    model: Callable[[], Any] = mlp
    loss: Callable[[], Any] = nn.CrossEntropyLoss
    data: Callable[[], Any] = pair
    options: dict[str, Any] = {}  # noqa: RUF012 never changed


CASES = [
    # --- the model
    Case(
        "complex parameters",
        ArgumentError,
        ("real floating", "weight (torch.complex64)"),
        model=lambda: Odd(torch.cfloat),
    ),
    Case("integer parameters", ArgumentError, ("integers: weight", "quantised"), model=lambda: Odd(torch.int64)),
    Case("no module", ArgumentError, ("torch.nn.Module, got function", "from_function"), model=lambda: lambda x: x),
    Case(
        "frozen",
        ArgumentError,
        ("No parameter of Sequential", "requires_grad_(True)"),
        model=lambda: mlp().requires_grad_(False),
    ),
    Case("NaN in a parameter", LossError, ("nan on batch 0", "NaN in the parameters"), model=with_nan),
    Case(
        "no memory, value",
        OutOfMemoryError,
        ("1152921504606846976 bytes", "smaller batches", "memory=", "params="),
        model=Enormous,
    ),
    Case("no memory, R", OutOfMemoryError, ("Memory ran out", "smaller batches"), curvature(), Enormous),
    *(
        Case(
            f"no memory, {type(error).__name__}",
            OutOfMemoryError,
            ("Memory ran out", *words),
            loss=lambda e=error: full(e),
        )
        for error, words in (
            (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"), ("2.50 GiB",)),
            (MemoryError(), ("smaller batches",)),
        )
    ),
    # --- the loss
    Case(
        "a class", ArgumentError, ("the class CrossEntropyLoss", "CrossEntropyLoss()"), loss=lambda: nn.CrossEntropyLoss
    ),
    Case("no function", ArgumentError, ("loss= must be callable, got str",), loss=lambda: "mse"),
    Case("a tensor", LossError, ("scalar, got shape (6, 3)", ".mean()"), loss=mean(lambda z, y: z)),
    Case("a float", LossError, ("scalar tensor, got float",), loss=mean(lambda z, y: 1.0)),
    Case("None", LossError, ("scalar tensor, got NoneType",), loss=mean(lambda z, y: None)),
    Case("a complex number", LossError, ("real", "torch.complex64"), loss=mean(lambda z, y: z.sum() + 1j)),
    Case("an integer", LossError, ("real", "torch.int64"), loss=mean(lambda z, y: z.argmax())),
    Case(
        "no reduction",
        LossError,
        ('reduction="none"', 'Use reduction="mean"'),
        loss=lambda: nn.CrossEntropyLoss(reduction="none"),
    ),
    Case(
        "a cut graph",
        LossError,
        ("graph was cut", ".detach()"),
        lambda land: land.gradient(),
        loss=mean(lambda z, y: F.cross_entropy(z.detach(), y)),
    ),
    Case(
        "a cut graph, R",
        LossError,
        ("graph was cut",),
        curvature(),
        loss=mean(lambda z, y: F.cross_entropy(z.detach(), y)),
    ),
    Case(
        "a count that is none",
        LossError,
        ("number of loss terms", "got -1 on batch 0"),
        loss=lambda: nn.CrossEntropyLoss(),
        options={"terms": lambda z, y: -1},
    ),
    Case("unknown terms", ArgumentError, ("terms= must be", "'rows'"), options={"terms": "rows"}),
    # --- the data
    Case("no data", DataError, ("Landscape needs data=", "DataLoader"), data=lambda: None),
    Case("an empty list", DataError, ("no batches", "at least one"), data=list),
    Case("an iterator", DataError, ("one-shot list_iterator", "list(data)"), data=lambda: iter([pair()])),
    Case("a list of two tensors", DataError, ("batch 0 is a Tensor", "tuple (X, y)"), data=lambda: list(pair())),
    Case("a tensor as data", DataError, ("got Tensor", "one pair (X, y)"), data=inputs),
    Case("batches of three", DataError, ("batch 0 is a tuple", "batch_loss="), data=lambda: [(*pair(), classes())]),
    Case("batches without samples", DataError, ("no loss terms",), data=lambda: [(inputs()[:0], classes()[:0])]),
    Case(
        "classes (N, 1)",
        LossError,
        ("batch 0", "int64 (6, 1)", "float32 (6, 3)"),
        data=lambda: (inputs(), classes()[:, None]),
    ),
    Case(
        "classes as floats", LossError, ("batch 0", "float32 (6,)", "Long"), data=lambda: (inputs(), classes().float())
    ),
    Case("a class beyond", LossError, ("batch 0", "is out of bounds"), data=lambda: (inputs(), classes() + 3)),
    Case(
        "MSE (N,) for (N, 1)",
        LossError,
        ("(6, 1)", "(6,)", "view_as"),
        model=lambda: nn.Linear(3, 1),
        loss=nn.MSELoss,
        data=lambda: (inputs(), torch.ones(6)),
    ),
    Case(
        "inputs too wide",
        LossError,
        ("model failed on batch 0", "float32 (6, 5)"),
        data=lambda: (torch.ones(6, 5), classes()),
    ),
    Case(
        "inputs in float64",
        LossError,
        ("model failed on batch 0", "float64 (6, 3)", "Double and Float"),
        data=lambda: (inputs().double(), classes()),
    ),
    Case("NaN in the data", LossError, ("nan on batch 1", "sample 4", "drop that sample"), data=lambda: spoilt(NAN)),
    Case(
        "inf in the data",
        LossError,
        ("on batch 1", "sample 4"),
        model=lambda: nn.Linear(3, 3),
        data=lambda: spoilt(INF),
    ),
    Case(
        "inf in saturated data",
        LossError,
        ("gradient", "Batch 1", "sample 4"),
        curvature(),
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)),
        data=lambda: spoilt(-INF),
    ),
    # --- derivatives that are not there
    Case(
        "an infinite gradient",
        LossError,
        ("gradient", "not finite", "sqrt or log at 0"),
        lambda _: eg.measure(function(lambda t: t.sqrt().sum())),
    ),
    Case(
        "a product that overflows",
        ArithmeticalError,
        ("Hessian @ X is not finite", "overflows torch.float32"),
        lambda _: eg.hessian(function(lambda t: 1.6e38 * t[0] ** 2)) @ torch.full((2,), 4.0),
    ),
    # --- places and numbers
    Case(
        "no cuda",
        ArgumentError,
        ("device 'cuda:99' cannot be used", "This machine has: cpu"),
        options={"device": "cuda:99"},
    ),
    Case("no device", ArgumentError, ("device 'nonsense'", "no such device", "cpu"), options={"device": "nonsense"}),
    Case("a device without numbers", ArgumentError, ("'meta'", "holds no numbers"), options={"device": "meta"}),
    Case("to: no cuda", ArgumentError, ("device 'cuda:99'", "cpu"), lambda land: land.to("cuda:99")),
    Case("to: no device", ArgumentError, ("device 'nonsense'", "cpu"), lambda land: land.to("nonsense")),
    Case("from_function: no cuda", ArgumentError, ("device 'cuda:99'",), lambda _: function(torch.sum).to("cuda:99")),
    Case("integers as dtype", ArgumentError, ("floating-point dtype", "torch.int64"), options={"dtype": torch.int64}),
    Case("a name as dtype", ArgumentError, ("torch.float64", "got 'float32'"), lambda land: land.to(dtype="float32")),
    # --- points
    Case(
        "a point of another model",
        ArgumentError,
        ("shape (31,)", "got (12,)", "same model", "flatten"),
        lambda land: land.at(other().theta),
    ),
    Case(
        "tensors of another model",
        ArgumentError,
        ("(4, 3)", "31 numbers", "(3, 3)", "12 numbers", "same model"),
        lambda land: land.flatten([*other().model.parameters()]),
    ),  # type: ignore[union-attr]
    Case(
        "a state of another model",
        ArgumentError,
        ("lack one", "0.weight"),
        lambda land: land.flatten(other().unflatten(other().theta)),
    ),
    Case("a point between", ArgumentError, ("shape (31,)", "got (12,)"), lambda land: land.unflatten(other().theta)),
    Case("a list as point", ArgumentError, ("shape (31,)", "got list"), lambda land: land.at([0.0] * 31)),
    Case(
        "integers as point",
        ArgumentError,
        ("floating-point", "torch.int64"),
        lambda land: land.at(torch.ones(31, dtype=torch.int64)),
    ),
    Case(
        "a vector too short", ArgumentError, ("shape (31,)", "got (7,)"), lambda land: eg.hessian(land) @ torch.ones(7)
    ),
    Case("a number as vector", ArgumentError, ("needs a tensor X, got int",), lambda land: eg.hessian(land) @ 3),  # type: ignore[operator]
    Case("no landscape", ArgumentError, ("measure needs a Landscape, got NoneType",), lambda _: eg.measure(None)),  # type: ignore[arg-type]
    Case("no landscape, H", ArgumentError, ("Hessian needs a Landscape, got int",), lambda _: eg.hessian(3)),  # type: ignore[arg-type]
    # --- operators
    *(
        Case(
            f"{what}, {call.__name__}",
            ArgumentError,
            ("not symmetric", said, "(A + A.T) / 2"),
            lambda _, call=call, make=make: call(make()),
        )
        for call in (eg.trace, eg.squared_frobenius, eg.eigenpairs, eg.spectral_density)
        for what, said, make in (
            ("skew matrix", "|A_ij - A_ji| is 1", skew),
            ("skew operator", "u.(A v)", lambda: Foreign(80, lambda V: skew() @ V)),
        )
    ),
    Case("not square", ArgumentError, ("square", "(3, 80)"), lambda _: eg.trace(skew()[:3])),
    Case(
        "an integer matrix",
        ArgumentError,
        ("real floating-point", "torch.int64"),
        lambda _: eg.trace(torch.eye(3, dtype=torch.int64)),
    ),
    Case("an array of numpy", ArgumentError, ("torch.as_tensor",), lambda _: eg.trace(skew().numpy())),
    Case("no operator", ArgumentError, ("object has no shape", "Landscape"), lambda _: eg.trace(object())),
    Case(
        "a product of another shape",
        ArgumentError,
        ("must be a tensor of shape (5, ", "got (2, "),
        lambda _: eg.trace(Foreign(5, lambda V: V[:2])),
    ),
    Case("NaN in a matrix", ArithmeticalError, ("not finite",), lambda _: eg.trace(torch.full((3, 3), NAN))),
    # --- numbers out of range
    *(
        Case(
            f"k = {k}",
            ArgumentError,
            ("1 <= k <= n = 80", f"got k = {k}"),
            lambda _, k=k: eg.eigenpairs(torch.eye(80), k),
        )
        for k in (81, 0, 2.0, True)
    ),
    Case("tol", ArgumentError, ("tol must be positive",), lambda _: eg.eigenpairs(torch.eye(80), tol=-1.0)),
    Case("steps", ArgumentError, ("steps >= 1",), lambda _: eg.spectral_density(torch.eye(80), steps=0)),
    *(
        Case(f"{name} = {given!r}", ArgumentError, words, curvature(**{name: given}))
        for name, given, words in [
            ("scale", -1.0, ("scale must be a positive", "-1.0")),
            ("scale", 0, ("scale must be a positive",)),
            ("scale", NAN, ("scale must be a positive", "nan")),
            ("scale", "x", ("scale must be a positive", "'x'")),
            ("rtol", 0, ("rtol must be a positive", "0.01")),
            ("rtol", -1, ("rtol must be a positive", "-1")),
            ("rtol", NAN, ("rtol must be a positive", "nan")),
            ("rtol", "x", ("rtol must be a number", "'x'")),
            ("atol", -1.0, ("atol must be zero or",)),
            ("confidence", 1.5, ("confidence must be between 0 and 1", "1.5")),
            ("budget", 0, ("budget must be a positive number of gradients",)),
            ("max_seconds", -1, ("max_seconds must be positive",)),
            ("seed", -1, ("seed must be a non-negative integer", "-1")),
            ("seed", 0.5, ("seed must be a non-negative integer", "0.5")),
            ("method", "best", ('"auto", "exact", "stochastic" or "dual"', "'best'")),
            ("operator", "fisher", ('"hessian" or "ggn"', "'fisher'")),
            ("block", 0, ("block must be a positive",)),
            ("memory", "much", ('"4GiB"', "'much'")),
            ("progress", 3, ("progress must be a function", "int")),
        ]
    ),
    Case(
        "too little memory",
        OutOfMemoryError,
        ("KiB at least", "1.0 KiB", "smaller batches", "params="),
        curvature(memory="1KiB"),
    ),
    Case("too small a budget", BudgetError, ("Raise budget=",), curvature(budget=1.0)),
    Case(
        "too many columns",
        ArgumentError,
        ("n = 20,001", "20,000", '"stochastic"'),
        lambda _: eg.trace(function(lambda t: t @ t, *[0.0] * 20_001), method="exact"),
    ),
    Case("a negative decay", ArgumentError, ("weight_decay must be", "-1"), options={"weight_decay": -1}),
    Case(
        "no such parameter", ArgumentError, ("'head*'", "matches no parameter", "0.weight"), options={"params": "head*"}
    ),
    Case("no pattern", ArgumentError, ("params= must be a pattern", "got 3"), options={"params": 3}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sentence_and_nothing_touched(case: Case, untouched: Any) -> None:
    model, loss, data = case.model(), case.loss(), case.data()
    tensors = [leaf for leaf in tree_leaves(data) if isinstance(leaf, Tensor)]
    with untouched(model if isinstance(model, nn.Module) else None, *tensors), pytest.raises(case.error) as caught:
        case.call(eg.Landscape(model, loss, data, **case.options))
    said = str(caught.value)
    assert isinstance(caught.value, eg.EgregiumError)
    assert [word for word in case.words if word not in said] == [], said
    assert "\n" not in said
    assert len(said) < 400


def test_there_are_enough_cases() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 40


def test_a_batch_without_samples_adds_nothing(untouched: Any) -> None:
    model, (x, y) = mlp(), pair()
    with untouched(model, x, y):
        alone = eg.Landscape(model, nn.CrossEntropyLoss(), [(x, y)])
        beside = eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:0], y[:0]), (x, y), (x[:0], y[:0])])
        assert beside.value() == alone.value()
        torch.testing.assert_close(beside.gradient(), alone.gradient())


def test_integer_targets_of_mse_are_numbers(untouched: Any) -> None:
    """torch promotes them, so nothing is wrong with them."""
    model, x, y = nn.Linear(3, 3), inputs(), torch.arange(18).reshape(6, 3)
    with untouched(model, x, y):
        integers, floats = (eg.Landscape(model, nn.MSELoss(), (x, t)) for t in (y, y.float()))
        assert integers.value() == floats.value()
        assert torch.equal(integers.gradient(), floats.gradient())


def test_symmetric_to_rounding_is_symmetric_and_looking_is_counted() -> None:
    H = torch.randn(300, 300)
    H = H + H.T + 1e-6 * torch.randn(300, 300)
    found = [eg.trace(op, method="exact") for op in (H, Foreign(300, lambda V: H.double() @ V))]
    assert [e.value for e in found] == pytest.approx([float(H.trace())] * 2)
    assert [e.cost.products for e in found] == [300, 302]


def changed(document: dict[str, Any], **entries: Any) -> str:
    return json.dumps(document | entries)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: changed(d)[:-40], ("is not JSON", "result.json written by egregium")),
        (lambda d: "", ("is not JSON",)),
        (lambda d: changed(d, schema=99), ("schema 99", "Upgrade egregium")),
        (lambda d: json.dumps({"loss": [1, 2]}), ("not a result of egregium",)),
        (lambda d: changed(d, result={"type": "Estimate"}), ("is damaged", "restore it")),
        (lambda d: changed(d, result={"type": "Popen", "args": "true"}), ("is damaged",)),
    ],
    ids=["cut", "empty", "newer", "foreign", "incomplete", "not ours"],
)
def test_documents(change: Any, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    eg.measure(function(lambda t: t @ t)).save(path)
    path.write_text(change(json.loads(path.read_text())))
    before = path.read_bytes()
    with pytest.raises(DocumentError) as caught:
        eg.load(path)
    assert [word for word in (str(path), *words) if word not in str(caught.value)] == []
    assert path.read_bytes() == before
    for nothing, said in (
        (tmp_path / "none.json", "Cannot read"),
        (tmp_path, "Cannot read"),
        (None, "path of a saved"),
    ):
        with pytest.raises(DocumentError, match=said):
            eg.load(nothing)  # type: ignore[arg-type]
