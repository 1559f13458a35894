"""Networks with the layers that make directions and slices go wrong elsewhere."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

import egregium as eg


def convolutional(dtype: torch.dtype = torch.float64) -> eg.Landscape:
    """A convolution, BatchNorm with statistics of its own, a dense layer; in two ragged batches."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 3)).to(dtype)
    x, y = torch.randn(14, 1, 4, 4, dtype=dtype), torch.randint(0, 3, (14,))
    model(x)  # running statistics that are nobody's default
    model.eval()
    return eg.Landscape(model, nn.CrossEntropyLoss(), [(x[:10], y[:10]), (x[10:], y[10:])])


def state_of(model: nn.Module) -> dict[str, Any]:
    """Everything of a model that a measurement may not move, as copies."""
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return tensors | {"modes": [m.training for m in model.modules()], "momenta": momenta(model)}


def momenta(model: nn.Module) -> list[Any]:
    return [copy.copy(getattr(m, "momentum", None)) for m in model.modules()]


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Bitwise."""
    return a.keys() == b.keys() and all(
        torch.equal(x, b[name]) if isinstance(x, Tensor) else x == b[name] for name, x in a.items()
    )
