"""Which model is measured, which of its parameters are theta, and what is refused by name."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from zoo.parameters import Tied
from zoo.row import DOUBLE, LABELS, SEQUENCES, TOKENS, VECTORS, ragged

import egregium as eg
from egregium.errors import ArgumentError
from egregium.landscape.selection import unwrapped
from egregium.operators import dense_matrix

CE = nn.CrossEntropyLoss()


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.ModuleDict({"q": nn.Linear(3, 3, bias=False), "v": nn.Linear(3, 3)})
        self.mlp = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        weights = (self.attn["q"](x) @ x.transpose(1, 2)).softmax(-1)
        return x + self.mlp(weights @ self.attn["v"](x)).tanh()


class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks, self.head = nn.ModuleList(Block() for _ in range(2)), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


@pytest.fixture
def blocks() -> nn.Module:
    return Blocks().to(DOUBLE)


ATTENTION = [f"blocks.{i}.attn.{name}" for i in range(2) for name in ("q.weight", "v.weight", "v.bias")]
#: Patterns, and the names they mean.
PATTERNS: dict[str, tuple[Any, list[str]]] = {
    "a pattern": ("blocks.*.attn.*", ATTENTION),
    "a name": ("head.bias", ["head.bias"]),
    "a question mark and a set": ("blocks.?.mlp.[bc]*", ["blocks.0.mlp.bias", "blocks.1.mlp.bias"]),
    "several": (
        ["head.*", "blocks.1.attn.q.*", "*.bias"],
        [
            *("blocks.0.attn.v.bias", "blocks.0.mlp.bias", "blocks.1.attn.q.weight", "blocks.1.attn.v.bias"),
            *("blocks.1.mlp.bias", "head.weight", "head.bias"),
        ],
    ),
    "two for the same": (("*.attn.*", "blocks.*.attn.v.bias"), ATTENTION),
}
every_pattern = pytest.mark.parametrize(("pattern", "names"), PATTERNS.values(), ids=PATTERNS.keys())


@every_pattern
def test_a_part_is_the_block_of_the_whole(pattern: Any, names: list[str], blocks: nn.Module, untouched: Any) -> None:
    whole = eg.Landscape(blocks, CE, ragged(SEQUENCES), weight_decay=0.1)
    part = eg.Landscape(blocks, CE, ragged(SEQUENCES), params=pattern, weight_decay=0.1)
    assert list(part.shapes) == names
    inside = whole.flatten({name: torch.full(s, float(name in names)) for name, s in whole.shapes.items()}) > 0
    with untouched(blocks):
        for operator in (eg.hessian, eg.ggn):
            block = dense_matrix(operator(whole))[inside][:, inside]
            torch.testing.assert_close(dense_matrix(operator(part)), block, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(part.gradient(), whole.gradient()[inside], rtol=1e-12, atol=1e-14)
    there = whole.theta
    there[inside] += 1
    assert part.at(part.theta + 1).scaled(2.0).gradient().tolist() == pytest.approx(
        (2 * whole.at(there).gradient()[inside]).tolist()
    )
    assert part.to(dtype=torch.float32).n == part.n


def test_a_tied_parameter_goes_by_each_of_its_names() -> None:
    model = Tied().to(DOUBLE)
    lands = [eg.Landscape(model, CE, ragged(TOKENS), params=name) for name in ("head.*", "embedding.weight")]
    assert [list(land.shapes) for land in lands] == [["embedding.weight"]] * 2
    rest = eg.Landscape(model, CE, ragged(TOKENS), params="mix.*")
    assert list(rest.shapes) == ["mix.weight", "mix.bias"]
    whole = dense_matrix(eg.hessian(eg.Landscape(model, CE, ragged(TOKENS))))
    torch.testing.assert_close(dense_matrix(eg.hessian(lands[0])), whole[:15, :15], rtol=1e-12, atol=1e-14)


@every_pattern
def test_patterns_need_not_know_of_compilation_and_wrappers(pattern: Any, names: list[str], blocks: nn.Module) -> None:
    plain = eg.Landscape(blocks, CE, ragged(SEQUENCES), params=pattern)
    parts = copy.deepcopy(blocks)
    parts.blocks[1] = torch.compile(parts.blocks[1], backend="eager")
    wholes = (torch.compile(blocks, backend="eager"), nn.DataParallel(blocks))
    decay = dict.fromkeys([pattern] if isinstance(pattern, str) else pattern, 0.1)
    for model in (parts, *wholes):
        land = eg.Landscape(model, CE, ragged(SEQUENCES), params=pattern, weight_decay=decay)
        assert [name.replace("_orig_mod.", "") for name in land.shapes] == names
        torch.testing.assert_close(land.gradient(), plain.gradient() + 0.1 * plain.theta, rtol=1e-12, atol=1e-14)


def test_wrappers_in_any_order(tanh_mlp: nn.Module) -> None:
    data_parallel, compiled = nn.DataParallel, lambda model: torch.compile(model, backend="eager")
    for wraps in ((), (data_parallel,), (compiled, data_parallel), (data_parallel, compiled, data_parallel)):
        model = tanh_mlp
        for wrap in wraps:
            model = wrap(model)
        assert unwrapped(model) is tanh_mlp
        assert eg.Landscape(model, CE, (VECTORS, LABELS)).model is tanh_mlp


# --- what is refused


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("blocks.*.atn.*", r"'blocks\.\*\.atn\.\*' matches no parameter\. There are: .*blocks\.\d\.attn"),
        ("head.wieght", r"matches no parameter\. There are: head\.weight"),
        (["*.bias", "nothing"], r"params='nothing' matches no parameter\. There are: head\.weight"),
        ("Head.*", "matches no parameter"),
        (
            "head.weight",
            r"params='head\.weight' matches parameters that do not require grad \(head\.weight\)\. Call req",
        ),
        ([], r'a pattern of names such as "blocks\.\*\.attn\.\*", or several, got \[\]'),
        (["*", 3], "or several, got "),
        (3, "or several, got 3"),
    ],
)
def test_patterns_that_mean_nothing(params: Any, said: str, blocks: nn.Module) -> None:
    blocks.head.weight.requires_grad_(False)
    with pytest.raises(ArgumentError, match=said):
        eg.Landscape(blocks, CE, ragged(SEQUENCES), params=params)


class Head(nn.Module):
    """A linear layer over the embedding in question."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding, self.linear = embedding, nn.Linear(3, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        z = self.embedding(tokens)
        return self.linear(z if z.ndim == 2 else z.mean(1))


def scripted() -> nn.Module:
    return nn.Sequential(torch.jit.script(nn.Linear(3, 3)), nn.Tanh())


UNFIT: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "EmbeddingBag": (
        lambda: Head(nn.EmbeddingBag(5, 3)),
        r"embedding \(EmbeddingBag\) cannot be measured: .*Use nn\.Embedding and \.sum\(1\) or \.mean\(1\)",
    ),
    "sparse Embedding": (lambda: Head(nn.Embedding(5, 3, sparse=True)), r"Set sparse = False; the values are the same"),
    "Embedding that renormalises": (lambda: Head(nn.Embedding(5, 3, max_norm=1.0)), r"then set max_norm = None"),
    "frozen Embedding that renormalises": (
        lambda: Head(nn.Embedding(5, 3, max_norm=1.0).requires_grad_(False)),
        "changes its own weight",
    ),
    "scripted": (
        lambda: torch.jit.script(nn.Linear(3, 3)),
        r"the model \(\w+\) .* Pass the nn\.Module it was made from",
    ),
    "a part scripted": (scripted, r"0 \(RecursiveScriptModule\) cannot be measured"),
    "traced": (lambda: torch.jit.trace(nn.Linear(3, 3), torch.ones(1, 3)), r"the model \(\w+\) cannot be measured"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), r"no shape yet: 0\.weight, 0\.bias\. Call model\(x\) once"),
    "complex": (lambda: nn.Linear(3, 3, dtype=torch.complex64), r"these are not: weight \(torch\.complex64\), bias"),
    "nothing to train": (lambda: nn.Linear(3, 3).requires_grad_(False), r"Call model\.requires_grad_\(True\)"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(("make", "said"), UNFIT.values(), ids=UNFIT.keys())
def test_models_that_cannot_be_measured(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        eg.Landscape(make(), CE, (VECTORS, LABELS))


@pytest.mark.parametrize(
    "embedding",
    [nn.EmbeddingBag(5, 3), nn.EmbeddingBag(5, 3, max_norm=None, mode="sum"), nn.Embedding(5, 3, sparse=True)],
    ids=["EmbeddingBag", "EmbeddingBag, sums", "sparse"],
)
def test_frozen_or_outside_theta_they_can(embedding: nn.Module) -> None:
    model = Head(embedding).to(DOUBLE)
    outside = eg.Landscape(model, CE, ragged(TOKENS), params="linear.*")
    H = dense_matrix(eg.hessian(outside))
    embedding.requires_grad_(False)
    assert torch.equal(dense_matrix(eg.hessian(eg.Landscape(model, CE, ragged(TOKENS)))), H)
    assert torch.equal(outside.at(outside.theta).gradient(), outside.gradient())


def test_a_lazy_model_that_was_called_is_an_ordinary_one() -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d(), nn.Tanh(), nn.LazyLinear(3)).to(DOUBLE)
    model(VECTORS)
    assert eg.Landscape(model, CE, (VECTORS, LABELS)).n == 39
