"""What all tests share: seeds, small models, a reference by dense autodiff, and a picture of everything touchable."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call

DOUBLE = torch.float64
NOT_TAKEN = torch.tensor(torch.nan)
torch.set_num_threads(1)  # the tests run beside each other


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


@dataclass(frozen=True, eq=False)
class Reference:
    """Value, gradient (n,) and Hessian (n, n) of a loss in a model's parameters that require grad, in their order."""

    value: Tensor
    gradient: Tensor
    hessian: Tensor


def dense_reference(model: nn.Module, total: Callable[[Callable[..., Any]], Tensor], second: bool = True) -> Reference:
    """The derivatives of `total(forward)` by torch's dense autodiff, where forward is the model in evaluation mode.

    Nothing here comes from egregium. Not torch.func.hessian: its Hessian of layer_norm is wrong (torch 2.13, under
    vmap; finite differences of the gradient agree with the one taken here). Without `second`, the Hessian is NaN.
    """
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    sizes = [p.numel() for p in trainable.values()]
    theta = torch.cat([p.detach().reshape(-1) for p in trainable.values()])
    modes = {module: module.training for module in model.modules()}

    def f(point: Tensor) -> Tensor:
        parts = dict(zip(trainable, point.split(sizes), strict=True))
        named = {name: parts[name].view(p.shape) for name, p in trainable.items()}
        return total(lambda *args, **kwargs: functional_call(model, named, args, kwargs))

    model.eval()
    found = Reference(f(theta).detach(), jacobian(f, theta), hessian(f, theta) if second else NOT_TAKEN)
    for module, mode in modes.items():
        module.training = mode
    return found


@pytest.fixture
def reference() -> Callable[..., Reference]:
    return dense_reference


@pytest.fixture
def tanh_mlp() -> nn.Module:
    """3 inputs, 3 classes, n = 31, smooth; in training mode."""
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).to(DOUBLE)


@pytest.fixture
def ragged() -> list[tuple[Tensor, Tensor]]:
    """70 samples of 3 inputs and 3 classes, in batches of 32, 32 and 6."""
    x, y = torch.randn(70, 3, dtype=DOUBLE), torch.randint(0, 3, (70,))
    return list(zip(x.split(32), y.split(32), strict=True))


@pytest.fixture
def whole(ragged: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """The samples of `ragged`, undivided."""
    x, y = (torch.cat(parts) for parts in zip(*ragged, strict=True))
    return x, y


@pytest.fixture
def mlp_reference(tanh_mlp: nn.Module, whole: tuple[Tensor, Tensor]) -> Reference:
    """Mean cross-entropy of `tanh_mlp` on `whole`."""
    return dense_reference(tanh_mlp, lambda forward: F.cross_entropy(forward(whole[0]), whole[1]))


#: Attributes of a module that hold its hooks.
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks")


def picture(model: nn.Module | None = None, *others: Any) -> dict[str, Any]:
    """Everything a measurement could leave changed, as plain comparable values.

    `others`: tensors (compared bit for bit) and generators.
    """
    taken: dict[str, Any] = {
        "torch generator": torch.get_rng_state().tolist(),
        "numpy generator": str(np.random.get_state()),
        "python generator": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "default dtype": torch.get_default_dtype(),
        "attention kernels": _kernels(),
    }
    for i, other in enumerate(others):
        taken[f"other {i}"] = other.get_state().tolist() if isinstance(other, torch.Generator) else _bits(other)
    return taken if model is None else taken | _module_picture(model)


def _kernels() -> tuple[bool, ...]:
    cuda = torch.backends.cuda
    return (
        cuda.math_sdp_enabled(),
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.cudnn_sdp_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
    )


def _module_picture(model: nn.Module) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for name, p in model.named_parameters(remove_duplicate=False):
        taken[f"parameter {name}"] = (id(p), _bits(p), p.requires_grad, p.grad is None or _bits(p.grad))
    for name, b in model.named_buffers(remove_duplicate=False):
        taken[f"buffer {name}"] = (id(b), _bits(b))
    for name, module in model.named_modules():
        taken[f"mode {name}"] = module.training
        taken[f"hooks {name}"] = [list(getattr(module, attribute)) for attribute in HOOKS]
        taken[f"attributes {name}"] = {key: id(value) for key, value in vars(module).items()}
    return taken


def _bits(tensor: Tensor) -> tuple[str, tuple[int, ...], bytes]:
    return str(tensor.dtype), tuple(tensor.shape), tensor.detach().numpy().tobytes()


@pytest.fixture
def untouched() -> Callable[..., Any]:
    """A context in which (model, *tensors and generators) and all global state must stay bitwise as they are."""

    @contextmanager
    def context(model: nn.Module | None = None, *others: Any) -> Iterator[None]:
        before = picture(model, *others)
        try:
            yield
        finally:
            after = picture(model, *others)
            changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
            assert not changed, f"left behind: {changed}"

    return context


#: WebGL without a graphics card.
SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Debian's Chromium is; in CI it must be there."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no chromium on PATH, so no page was looked at"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 not in the oracles' environment

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=SOFTWARE)
        yield started
        started.close()
