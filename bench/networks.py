"""The networks and batches that are timed. Imports torch alone, so that other libraries' Pythons can build them too."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES, VOCABULARY, WIDTH, HEADS, LENGTH, SEQUENCES = 10, 512, 96, 4, 64, 16


@dataclass(frozen=True)
class Case:
    """A model and one batch for cross-entropy; `most`: gradients a Hessian product may cost, where that is bounded."""

    title: str
    model: Callable[[], nn.Module]
    batch: Callable[[], tuple[Tensor, Tensor]]
    most: float | None = None

    def built(self) -> tuple[nn.Module, Tensor, Tensor]:
        """(model, input, target), the same at each call."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return (self.model(), *self.batch())


def mlp(sizes: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Dense layers of these sizes with the activation between them."""
    layers: list[nn.Module] = []
    for i, (wide, narrow) in enumerate(pairwise(sizes)):
        layers += [activation()] if i else []
        layers.append(nn.Linear(wide, narrow))
    return nn.Sequential(*layers)


def convolutions(pooled: bool) -> nn.Sequential:
    """3 x 3 convolutions 3-16-32-32-64 and ReLU, mean over positions, one dense layer.

    `pooled`: 2 x 2 maxima after the second and third; else all four at full resolution.
    """
    layers: list[nn.Module] = []
    channels = (3, 16, 32, 32, 64)
    for i, (wide, narrow) in enumerate(pairwise(channels)):
        layers += [nn.Conv2d(wide, narrow, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pooled and i in (1, 2) else []
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[-1], CLASSES))


class Block(nn.Module):
    """A pre-norm transformer layer; `attention(q, k, v)` gets tensors of shape (sequences, heads, length, width)."""

    def __init__(self, attention: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.attention = attention
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """x of shape (sequences, length, WIDTH)."""
        parts = self.qkv(self.first(x)).unflatten(-1, (3, HEADS, WIDTH // HEADS))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        x = x + self.out(self.attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.down(F.relu(self.up(self.second(x))))


def written_out(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention by two matrix products and a softmax."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1) @ v


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention by torch's own function."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class Encoder(nn.Module):
    """Two layers of torch.nn.TransformerEncoderLayer, causal, no dropout."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(LENGTH))

    def forward(self, x: Tensor) -> Tensor:
        """x of shape (sequences, length, WIDTH)."""
        return self.layers(x, mask=self.mask, is_causal=True)


class LanguageModel(nn.Module):
    """Token and position embeddings, `layers`, and a head: logits of shape (sequences * length, VOCABULARY)."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.tokens, self.layers = nn.Embedding(VOCABULARY, WIDTH), layers
        self.positions = nn.Parameter(0.1 * torch.randn(LENGTH, WIDTH))
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, x: Tensor) -> Tensor:
        """x: token numbers of shape (sequences, length)."""
        return self.head(self.layers(self.tokens(x) + self.positions)).flatten(0, 1)


def _vectors(count: int) -> tuple[Tensor, Tensor]:
    return torch.randn(count, 784), torch.randint(CLASSES, (count,))


def _images() -> tuple[Tensor, Tensor]:
    return torch.randn(64, 3, 32, 32), torch.randint(CLASSES, (64,))


def _text() -> tuple[Tensor, Tensor]:
    return torch.randint(VOCABULARY, (SEQUENCES, LENGTH)), torch.randint(VOCABULARY, (SEQUENCES * LENGTH,))


def _transformer(attention: Callable[[Tensor, Tensor, Tensor], Tensor]) -> LanguageModel:
    return LanguageModel(nn.Sequential(Block(attention), Block(attention)))


DENSE = (784, 256, 256, CLASSES)
CASES = {
    "mlp-256": Case("MLP 784-256-256-10, batch 256", lambda: mlp(DENSE), lambda: _vectors(256), 1.8),
    "mlp-4096": Case("the same, batch 4,096", lambda: mlp(DENSE), lambda: _vectors(4096), 1.8),
    "cnn-pooled": Case("CNN 3-16-32-32-64, pooled twice, 64 images", lambda: convolutions(True), _images, 2.6),
    "cnn-full": Case("the same without pooling", lambda: convolutions(False), _images, 2.6),
    "transformer": Case("transformer, attention written out", lambda: _transformer(written_out), _text, 2.6),
    "transformer-sdpa": Case("the same, F.scaled_dot_product_attention", lambda: _transformer(fused), _text, 2.6),
    "transformer-encoder": Case("the same, nn.TransformerEncoderLayer", lambda: LanguageModel(Encoder()), _text, 2.6),
}
