"""Models in wrappers: checkpointed activations, torch.compile, DataParallel, DistributedDataParallel."""

import copy
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zoo.attention import Attention, encoder
from zoo.layers import WeightNormByHand
from zoo.recurrent import Last
from zoo.row import LABELS, SEQUENCES, VECTORS, Row, ragged


class Plain(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.embed, self.inner, self.head = nn.Linear(3, 3), inner, nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.within(self.embed(x)))

    def within(self, z: Tensor) -> Tensor:
        return self.inner(z)


class Checkpointed(Plain):
    """The inner activations are computed again in each backward pass."""

    def within(self, z: Tensor) -> Tensor:
        return checkpoint(self.inner, z, use_reentrant=False)


def plain(model: nn.Module) -> nn.Module:
    other = Plain(plain(model.inner) if isinstance(model.inner, Checkpointed) else copy.deepcopy(model.inner))
    other.embed, other.head = copy.deepcopy(model.embed), copy.deepcopy(model.head)
    return other


def layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))


def normed() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)), nn.Dropout(), nn.Softplus())


def plain_norm(model: nn.Module) -> nn.Module:
    other = plain(model)
    other.inner = WeightNormByHand(model.inner)
    return other


def used(model: nn.Module) -> nn.Module:
    """After a step of training, so that what was to be compiled is compiled."""
    model = model.double()
    F.cross_entropy(model(VECTORS), LABELS).backward()
    return model


def inner(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model._orig_mod)


def whole() -> nn.Module:
    """Of a class of the user's own: compiled in place, torch's containers are left alone by torch."""
    return Plain(layers())


def compiled(backend: str) -> dict[str, Row]:
    def in_place() -> nn.Module:
        model = whole()
        model.compile(backend=backend)
        return used(model)

    def a_part() -> nn.Module:
        model = whole()
        model.inner = torch.compile(model.inner, backend=backend)
        return used(model)

    def without(model: nn.Module) -> nn.Module:
        other = copy.deepcopy(model)
        other.inner = other.inner._orig_mod
        return other

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target)

    wrap: Callable[..., Callable[..., Tensor]] = torch.compile
    attention = lambda: torch.compile(Attention(), backend=backend)
    by = f"compiled by {backend}"
    return {
        by: Row(lambda: used(torch.compile(whole(), backend=backend)), twin=inner),
        f"{by}, attention": Row(attention, ragged(SEQUENCES), twin=inner),
        f"{by} in place": Row(in_place),
        f"{by}, a part": Row(a_part, twin=without),
        f"{by}, the loss": Row(layers, loss=wrap(loss, backend=backend), plain=loss),
        f"{by}, the loss a module": Row(layers, loss=wrap(nn.CrossEntropyLoss(), backend=backend), plain=loss),
    }


@contextmanager
def process_group() -> Iterator[None]:
    """One for the process, never destroyed: gloo's destructor joins its threads with the GIL held, and may hang."""
    if not dist.is_initialized():
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield


def distributed() -> nn.Module:
    model = nn.parallel.DistributedDataParallel(layers().double())
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(model.reducer))  # it holds the group, which must outlive the process
    return used(model)


def unwrapped(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model.module)


ROWS = {
    "checkpointed": Row(lambda: Checkpointed(layers()), twin=plain),
    "checkpointed attention": Row(lambda: Checkpointed(Attention()), ragged(SEQUENCES), twin=plain),
    "checkpointed encoder": Row(
        lambda: Checkpointed(nn.Sequential(encoder(width=2)(), nn.Linear(2, 3))), ragged(SEQUENCES), twin=plain
    ),
    "checkpointed GRU": Row(lambda: Checkpointed(Last(nn.GRU)), ragged(SEQUENCES), twin=plain),
    "checkpointed weight_norm": Row(lambda: Checkpointed(normed()), twin=plain_norm),
    "checkpointed twice": Row(lambda: Checkpointed(Checkpointed(layers())), twin=plain),
    "DataParallel": Row(lambda: nn.DataParallel(layers()), twin=unwrapped),
    "DistributedDataParallel": Row(distributed, twin=unwrapped, around=process_group),
    "DistributedDataParallel, compiled": Row(
        lambda: torch.compile(distributed(), backend="eager"),
        twin=lambda model: unwrapped(model._orig_mod),
        around=process_group,
    ),
    **compiled("eager"),
    **compiled("aot_eager"),
}
