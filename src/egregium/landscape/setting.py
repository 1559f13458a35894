"""What a reader must know of how a landscape's numbers came about, as rows of its table."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from egregium.results.table import Row

#: Layers that behave otherwise in training mode, by what evaluation mode makes of them.
STORED = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)


def setting(
    model: nn.Module, theta: Mapping[str, Tensor], decay: tuple[float, ...], dtype: torch.dtype | None
) -> Iterator[Row]:
    """Rows on evaluation mode, the part of the parameters, weight decay and precision, each where it applies."""
    dropout = sum(isinstance(m, _DropoutNd) and m.p > 0 for m in model.modules())
    dropout += sum(isinstance(m, nn.RNNBase) and m.dropout > 0 for m in model.modules())
    dropout += sum(isinstance(m, nn.MultiheadAttention) and m.dropout > 0 for m in model.modules())
    if dropout:
        yield Row("dropout", "off", f"evaluation mode; {_layers(dropout)}", group="point")
    stored = sum(isinstance(m, STORED) and m.track_running_stats for m in model.modules())
    if stored:
        yield Row("normalisation", "stored statistics", f"evaluation mode; {_layers(stored)}", group="point")
    total = sum(p.numel() for p in model.parameters())
    n = sum(p.numel() for p in theta.values())
    if n < total:
        yield Row("measured part", f"{100 * n / total:.3g} %", f"of the {total:,} numbers in the model", group="point")
    if any(decay):
        lams = sorted(set(decay))
        shown = f"{lams[0]:g}" if len(lams) == 1 else f"{lams[0]:g} to {lams[-1]:g}"
        yield Row("weight decay λ", shown, "λ/2 |θ|² is part of the loss", group="point")
    own = sorted({str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.requires_grad})
    if dtype is not None and own != [str(dtype).removeprefix("torch.")]:
        yield Row("precision", str(dtype).removeprefix("torch."), f"the model is in {' and '.join(own)}", group="point")


def _layers(number: int) -> str:
    return "1 layer" if number == 1 else f"{number} layers"
