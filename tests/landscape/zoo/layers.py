"""Layers on vectors and short sequences: activations, norms, parametrisations, embeddings, FFT."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from zoo.row import IMAGES, SEQUENCES, TOKENS, After, Row, ragged


def between(*layers: Callable[[], nn.Module], wide: int = 4, narrow: int = 4) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(3, wide), *(layer() for layer in layers), nn.Linear(narrow, 3))


ACTIVATIONS = (
    *(nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Tanh, nn.Sigmoid),
    *(nn.Hardtanh, nn.Hardswish, nn.LogSigmoid, nn.Softsign),
)


class WeightNormByHand(nn.Module):
    """W = g v / |v| over rows, in operations whose second derivative is right."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.bias, self.g, self.v = (nn.Parameter(p.detach().clone()) for p in model[0].parameters())

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(F.linear(x, self.g * self.v / self.v.norm(dim=1, keepdim=True), self.bias))


class Hard(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x + 3).clamp(0, 6) / 6


def hardsigmoid_by_hand(model: nn.Module) -> nn.Module:
    """torch has no second derivative of it."""
    model = copy.deepcopy(model)
    for name, _ in [pair for pair in model.named_modules() if isinstance(pair[1], nn.Hardsigmoid)]:
        model.set_submodule(name, Hard())
    return model


class Spectral(nn.Module):
    """Filters with real parameters in the frequency domain."""

    def __init__(self) -> None:
        super().__init__()
        self.filter, self.head = nn.Parameter(torch.randn(3, 3, 2)), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x, dim=1) * torch.view_as_complex(self.filter)
        return self.head(torch.fft.irfft(spectrum, n=x.shape[1], dim=1).tanh().mean(1))


class Amplitudes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix, self.head = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.fft.rfft(self.mix(x), dim=1).abs().mean(1))


class Lookup(nn.Module):
    """A table of values in buffers, one of integers, one that nothing uses; and one that a forward pass moves."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.register_buffer("table", torch.randn(5, 4))
        self.register_buffer("order", torch.tensor([3, 0, 4, 1]))
        self.register_buffer("unused", torch.ones(2), persistent=False)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.head((self.linear(x) * self.table[self.order].sum(0)).tanh())


class Bilinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Bilinear(3, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x, x.tanh())


def embedding(**options: int) -> Callable[[], nn.Module]:
    return lambda: After(nn.Sequential(nn.Embedding(5, 3, **options), nn.Tanh(), nn.Linear(3, 3)), lambda z: z.mean(1))


def images(norm: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    layers = lambda: nn.Sequential(nn.Conv2d(1, 4, 3), norm(), nn.SiLU(), nn.Conv2d(4, 3, 1), nn.Tanh())
    return lambda: After(layers(), lambda z: z.mean((2, 3)))


def trained_norm() -> nn.Module:
    """Its running statistics are not those of a new layer."""
    norm = nn.BatchNorm1d(4)
    norm.running_mean.add_(0.3), norm.running_var.mul_(2)
    return norm


def normed(norm: Callable[[nn.Module], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(norm(nn.Linear(3, 3)), nn.Softplus())


NORMS = {
    "BatchNorm1d": trained_norm,
    "BatchNorm1d without statistics": lambda: nn.BatchNorm1d(4, track_running_stats=False),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "RMSNorm": lambda: nn.RMSNorm(4),
    "Dropout in training mode": lambda: nn.Sequential(nn.Dropout(0.5), nn.Tanh(), nn.AlphaDropout()),
}
IMAGE_NORMS = {
    "BatchNorm2d": lambda: nn.BatchNorm2d(4),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4, affine=True),
    "LocalResponseNorm": lambda: nn.LocalResponseNorm(2),
}
PARAMETRISED = {
    "spectral_norm, hook": nn.utils.spectral_norm,
    "spectral_norm, parametrised": parametrizations.spectral_norm,
    **{
        f"orthogonal, {kind}": lambda layer, kind=kind: parametrizations.orthogonal(layer, orthogonal_map=kind)
        for kind in ("matrix_exp", "cayley", "householder")
    },
}
ROWS = {
    **{layer.__name__: Row(between(layer)) for layer in ACTIVATIONS},
    "Hardsigmoid": Row(between(nn.Hardsigmoid), twin=hardsigmoid_by_hand),
    "GLU": Row(between(nn.GLU, narrow=2)),
    "GELU by tanh": Row(between(lambda: nn.GELU(approximate="tanh"))),
    "ReLU in place": Row(between(lambda: nn.ReLU(inplace=True))),
    **{name: Row(between(norm)) for name, norm in NORMS.items()},
    **{name: Row(images(norm), ragged(IMAGES)) for name, norm in IMAGE_NORMS.items()},
    "weight_norm, hook": Row(normed(nn.utils.weight_norm), twin=WeightNormByHand),
    "weight_norm, parametrised": Row(normed(parametrizations.weight_norm), twin=WeightNormByHand),
    **{name: Row(normed(norm)) for name, norm in PARAMETRISED.items()},
    "FFT, filters": Row(Spectral, ragged(SEQUENCES)),
    "FFT, amplitudes": Row(Amplitudes, ragged(SEQUENCES)),
    "Bilinear": Row(Bilinear),
    "logcumsumexp": Row(lambda: After(nn.Linear(3, 3), lambda z: z.logcumsumexp(1))),
    "buffers": Row(Lookup),
    "Embedding": Row(embedding(), ragged(TOKENS)),
    "Embedding with padding_idx": Row(embedding(padding_idx=0), ragged(TOKENS * (TOKENS != 2))),
}
