"""Mixers and vision transformers; adapters; generators, physics and batches of any class through batch_loss."""

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from zoo.row import IMAGES, LABELS, VECTORS, Row, ragged, random


class Patches(nn.Module):
    """An image of 6 x 6 as 4 tokens of width 3."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, 3, 3, stride=3)

    def forward(self, x: Tensor) -> Tensor:
        return self.cut(x).flatten(2).transpose(1, 2)


class Mixer(nn.Module):
    """Tokens mix, then channels."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norms = Patches(), nn.ModuleList(nn.LayerNorm(3) for _ in range(3))
        self.tokens, self.channels = (nn.Sequential(nn.Linear(k, 3), nn.GELU(), nn.Linear(3, k)) for k in (4, 3))

    def forward(self, x: Tensor) -> Tensor:
        z = self.patches(x)
        z = z + self.tokens(self.norms[0](z).transpose(1, 2)).transpose(1, 2)
        z = z + self.channels(self.norms[1](z))
        return self.norms[2](z).mean(1)


class ViT(nn.Module):
    """A token for the class, positions, one block of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.mix, self.out = Patches(), nn.Linear(3, 9), nn.Linear(3, 3)
        self.cls, self.positions = nn.Parameter(torch.randn(1, 1, 3)), nn.Parameter(torch.randn(5, 3))
        self.norms = nn.ModuleList(nn.LayerNorm(3) for _ in range(2))
        self.mlp = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Dropout(0.1), nn.Linear(4, 3))

    def forward(self, x: Tensor) -> Tensor:
        z = torch.cat([self.cls.expand(len(x), 1, 3), self.patches(x)], dim=1) + self.positions
        q, k, v = self.mix(self.norms[0](z)).chunk(3, dim=-1)
        z = z + self.out(F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0))
        return (z + self.mlp(self.norms[1](z)))[:, 0]


class Adversaries(nn.Module):
    """A generator and its discriminator in one module, neither of which is its forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))
        self.discriminator = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)), nn.SiLU())
        self.score = nn.Linear(3, 1)


def adversarial(model: nn.Module, real: Tensor) -> tuple[Tensor, int]:
    """The discriminator's logistic loss on real and made samples; noise is drawn anew in each call."""
    noise = torch.randn(len(real), 2, dtype=real.dtype, generator=torch.Generator().manual_seed(len(real)))
    judged = (model.score(model.discriminator(x)) for x in (real, model.generator(noise)))
    good, bad = judged
    return (F.softplus(-good) + F.softplus(bad)).sum(), len(real)


def physics(model: nn.Module, points: Tensor) -> tuple[Tensor, int]:
    """u'' + u^3 = sin x, squared: the network's second derivative in its input is inside the loss."""
    x = points.clone().requires_grad_()
    u = model(x)
    (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
    return (bend + u**3 - x.sin()).square().sum(), len(x)


class LoRA(nn.Module):
    """W x + B A x with W frozen."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(1, base.in_features))
        self.B = nn.Parameter(torch.randn(base.out_features, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.A.T @ self.B.T


@dataclass
class Sample:
    """A batch of a class of the user's own."""

    x: Tensor
    y: Tensor
    note: str = "kept"


Named = namedtuple("Named", ["x", "y", "weight"])


def of_fields(model: nn.Module, batch: Any) -> tuple[Tensor, Any]:
    weight = batch.weight if isinstance(batch, Named) else torch.ones_like(batch.x[:, 0])
    return (F.cross_entropy(model(batch.x), batch.y, reduction="none") * weight).sum(), weight.sum()


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))


WEIGHTS = random(5).exp()
ROWS = {
    "MLP-Mixer": Row(Mixer, ragged(IMAGES)),
    "ViT": Row(ViT, ragged(IMAGES)),
    "GAN": Row(Adversaries, list(VECTORS.split(3)), batch_loss=adversarial),
    "PINN": Row(
        lambda: nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)),
        list(VECTORS[:, :1].split(3)),
        batch_loss=physics,
    ),
    "LoRA": Row(lambda: nn.Sequential(LoRA(nn.Linear(3, 4)), nn.Tanh(), LoRA(nn.Linear(4, 3)))),
    "a DataLoader of a Dataset": Row(mlp, DataLoader(TensorDataset(VECTORS, LABELS), batch_size=3)),
    "batches of a dataclass": Row(mlp, [Sample(x, y) for x, y in ragged(VECTORS)], batch_loss=of_fields),
    "batches of a namedtuple": Row(
        mlp,
        [Named(x, y, w) for x, y, w in zip(VECTORS.split(3), LABELS.split(3), WEIGHTS.split(3), strict=True)],
        batch_loss=of_fields,
    ),
}
