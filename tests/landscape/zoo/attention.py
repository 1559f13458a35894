"""Attention in torch's own forms, as it stands: the fused kernels have no second derivative."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.row import LABELS, SEQUENCES, Row, ragged

CAUSAL = torch.ones(4, 4, dtype=torch.bool).tril()
PADDED = torch.tensor([False, False, False, True])


class Attention(nn.Module):
    """Scaled-dot-product attention, two heads, in its default form."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.mix, self.head, self.options = nn.Linear(3, 12), nn.Linear(4, 3), options

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (2, 2)).transpose(1, 2) for part in self.mix(x).chunk(3, dim=-1))
        return self.head(self.attend(q, k, v).transpose(1, 2).flatten(2).mean(1))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, **self.options)


class Biased(Attention):
    """With a mask that is a parameter, as relative positions are."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(2, 4, 4))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias.masked_fill(~CAUSAL, -torch.inf))


class Grouped(Attention):
    """Two heads of queries share one of keys and values."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k[:, :1], v[:, :1], enable_gqa=True)


class Around(nn.Module):
    """A layer of attention of some width between an embedding and the mean over positions."""

    def __init__(
        self, layer: nn.Module, call: Callable[[nn.Module, Tensor], Tensor], width: int = 4, batch_first: bool = True
    ) -> None:
        super().__init__()
        self.embed, self.layer, self.call, self.batch_first = nn.Linear(3, width), layer, call, batch_first

    def forward(self, x: Tensor) -> Tensor:
        z = self.embed(x)
        z = self.call(self.layer, z if self.batch_first else z.transpose(0, 1))
        return z.mean(1 if self.batch_first else 0)


def own(**options: Any) -> Callable[[], nn.Module]:
    """nn.MultiheadAttention."""

    def call(layer: nn.Module, z: Tensor) -> Tensor:
        return layer(z, z, z, **options)[0]

    return lambda: Around(nn.MultiheadAttention(4, 2, batch_first=True), call)


def encoder(depth: int = 0, width: int = 4, **options: Any) -> Callable[[], nn.Module]:
    """nn.TransformerEncoderLayer, or a stack with padding, for which torch has a fast path of nested tensors."""

    def make() -> nn.Module:
        layer = nn.TransformerEncoderLayer(width, 2, 3, batch_first=True, **options)
        if not depth:
            return Around(layer, lambda layer, z: layer(z), width)
        padding = lambda z: PADDED.expand(len(z), 4)
        return Around(
            nn.TransformerEncoder(layer, depth), lambda stack, z: stack(z, src_key_padding_mask=padding(z)), width
        )

    return make


def both(layer: nn.Module, z: Tensor) -> Tensor:
    """A decoder's two inputs."""
    return layer(z, z.tanh(), tgt_mask=nn.Transformer.generate_square_subsequent_mask(z.shape[1], dtype=z.dtype))


ROWS = {
    name: Row(make, ragged(SEQUENCES))
    for name, make in {
        "scaled dot product": Attention,
        "scaled dot product, causal": lambda: Attention(is_causal=True),
        "scaled dot product, boolean mask": lambda: Attention(attn_mask=CAUSAL),
        "scaled dot product, mask that is a parameter": Biased,
        "scaled dot product, grouped queries": Grouped,
        "MultiheadAttention": own(need_weights=False),
        "MultiheadAttention with weights": own(),
        "MultiheadAttention, masked": own(attn_mask=~CAUSAL, need_weights=False),
        "MultiheadAttention, positions first": lambda: Around(
            nn.MultiheadAttention(4, 2), lambda layer, z: layer(z, z, z)[0], batch_first=False
        ),
        "TransformerEncoderLayer": encoder(),
        "TransformerEncoderLayer, norm first": encoder(norm_first=True, activation="gelu"),
        "TransformerEncoder, padded": encoder(depth=1),
        "TransformerDecoderLayer": lambda: Around(nn.TransformerDecoderLayer(3, 1, 1, batch_first=True), both, 3),
    }.items()
}
ROWS["Transformer"] = Row(
    lambda: Around(nn.Transformer(2, 2, 1, 1, 3, batch_first=True), both, 2), ragged(SEQUENCES, LABELS % 2)
)
