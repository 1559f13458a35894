"""How much memory a computation allocates at its peak, counted by its tensors and not by the clock or the system."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map


class PeakAllocation(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A context that counts the bytes of the tensors made in it: `peak` is the most that were alive at once.

    `operations` counts what was called: each may leave a node of the graph, which is no tensor. What an operation
    allocates and frees within itself is not seen. Slows a small network's operations by half.

    >>> with PeakAllocation() as counted:
    ...     for _ in range(5):
    ...         x = torch.zeros(1000)
    >>> counted.peak  # at an assignment the old tensor is still there
    8000
    """

    supports_higher_order_operators = True  # torch.cond is one operation, and what it holds within itself not seen

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak, self.operations = 0, 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self._bytes = 0  # of what was alive when it was last looked through, and all that came since

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it torch would import it: 35 MB and a second. Nothing is compiled inside `derivatives`

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # torch 2.13 crashes under any mode on a product of the zeros that forward derivatives make (tests/autodiff)
        args, kwargs = tree_map(_without_storageless_zeros, (args, kwargs or {}))
        self.operations += 1
        result = func(*args, **kwargs)
        known = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if _stored(leaf)}
        for leaf in tree_leaves(result):
            if _stored(leaf) and leaf.untyped_storage()._cdata not in known:
                self._count(leaf)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        old = self._alive.get(storage._cdata)
        if old is not None and not _gone(old[0]):
            return
        if old is not None:
            self._bytes -= old[1]
        self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())  # type: ignore[no-untyped-call]
        self._bytes += storage.nbytes()
        if self._bytes > self.peak:  # only then it matters which of them are gone
            self._alive = {key: item for key, item in self._alive.items() if not _gone(item[0])}
            self._bytes = sum(size for _, size in self._alive.values())
            self.peak = max(self.peak, self._bytes)


def _without_storageless_zeros(leaf: Any) -> Any:
    zeros = isinstance(leaf, Tensor) and leaf._is_zerotensor()
    return torch.zeros(leaf.shape, dtype=leaf.dtype, device=leaf.device) if zeros else leaf


def _stored(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.layout is torch.strided


def _gone(storage: StorageWeakRef) -> bool:
    return bool(storage.expired())  # type: ignore[no-untyped-call]
