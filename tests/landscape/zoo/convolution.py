"""Convolutions, pooling, resampling, and networks of them."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers import hardsigmoid_by_hand
from zoo.row import IMAGES, SEQUENCES, VOLUMES, Row, ragged

Make = Callable[[], nn.Module]


def signal(*layers: Callable[[], nn.Module]) -> Make:
    """Layers from 3 channels to 3, and the mean over what is left of space."""
    return lambda: nn.Sequential(*(layer() for layer in layers), nn.Tanh(), Mean())


class Mean(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z.flatten(2).mean(2)


def pooled(layer: Make, channels: int = 2) -> Make:
    """A layer between two convolutions of images."""
    return lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Softplus(), layer(), nn.Conv2d(channels, 3, 1), nn.Tanh(), Mean()
    )


class Residual(nn.Module):
    """x + f(x), with a projection where the width changes, as in ResNet-20."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.Conv2d(out, out, 3, 1, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(out) for _ in range(2))
        self.skip = nn.Identity() if width == out else nn.Conv2d(width, out, 1, stride)
        for norm in self.norms:  # where a channel is dead, a bias of 0 would be on the kink
            nn.init.normal_(norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norms[0](self.first(x)).relu_()
        return F.relu(self.norms[1](self.second(z)) + self.skip(x), inplace=True)


def resnet() -> nn.Module:
    blocks = (Residual(1, 1, 1), Residual(1, 2, 2), Residual(2, 2, 1))
    return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))


class UNet(nn.Module):
    """Down, up, and across; a class for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.bottom = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 3, 3, padding=1)
        self.up, self.head = nn.ConvTranspose2d(3, 2, 2, stride=2), nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        high = F.gelu(self.down(x))
        low = F.gelu(self.bottom(F.max_pool2d(high, 2)))
        return self.head(torch.cat([high, self.up(low)], dim=1))


class Inverted(nn.Module):
    """A depthwise separable convolution with squeeze and excitation, as in MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        self.deep, self.wide = nn.Conv2d(2, 2, 3, groups=2), nn.Conv2d(2, 4, 1)
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Hardsigmoid(inplace=True))
        self.head = nn.Sequential(nn.Hardswish(), nn.Conv2d(4, 3, 2), nn.Flatten(2))

    def forward(self, x: Tensor) -> Tensor:
        z = self.wide(self.deep(torch.cat([x, x.tanh()], 1)))
        return self.head(z * self.squeeze(z)).mean(2)


CLASSES = torch.arange(5 * 36).view(5, 6, 6) % 3
ROWS = {
    "Conv1d": Row(signal(lambda: nn.Conv1d(4, 3, 2, padding="same", padding_mode="replicate")), ragged(SEQUENCES)),
    "Conv1d, dilated": Row(signal(lambda: nn.Conv1d(4, 3, 2, dilation=2)), ragged(SEQUENCES)),
    "ConvTranspose1d": Row(signal(lambda: nn.ConvTranspose1d(4, 3, 3, stride=2)), ragged(SEQUENCES)),
    "Conv2d": Row(signal(lambda: nn.Conv2d(1, 3, 3, padding=1)), ragged(IMAGES)),
    "Conv2d, grouped": Row(
        signal(lambda: nn.Conv2d(1, 4, 3), nn.ELU, lambda: nn.Conv2d(4, 6, 2, groups=2), lambda: nn.Conv2d(6, 3, 1)),
        ragged(IMAGES),
    ),
    "Conv2d, depthwise, in channels last": Row(
        lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.SiLU(), nn.Conv2d(3, 3, 3, groups=3, dilation=1), Mean()).to(
            memory_format=torch.channels_last
        ),
        ragged(IMAGES),
    ),
    "ConvTranspose2d": Row(
        signal(lambda: nn.ConvTranspose2d(1, 3, 3, stride=2, output_padding=1, dilation=2)), ragged(IMAGES)
    ),
    "Conv3d": Row(signal(lambda: nn.Conv3d(1, 3, 2, stride=2)), ragged(VOLUMES)),
    "ConvTranspose3d": Row(signal(lambda: nn.ConvTranspose3d(1, 3, 2)), ragged(VOLUMES)),
    **{
        type(layer).__name__: Row(pooled(lambda layer=layer: layer), ragged(IMAGES))
        for layer in (
            *(nn.MaxPool2d(2), nn.AvgPool2d(2, stride=1), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d(2)),
            *(nn.LPPool2d(2, 2), nn.ReflectionPad2d(1), nn.ChannelShuffle(2), nn.Dropout2d()),
        )
    },
    "PixelShuffle": Row(pooled(lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.PixelShuffle(2)), 1), ragged(IMAGES)),
    "PixelUnshuffle": Row(pooled(lambda: nn.PixelUnshuffle(2), 8), ragged(IMAGES)),
    **{
        f"Upsample, {mode}": Row(pooled(lambda mode=mode: nn.Upsample(scale_factor=2, mode=mode)), ragged(IMAGES))
        for mode in ("nearest", "bilinear", "bicubic")
    },
    "ResNet": Row(resnet, ragged(IMAGES)),
    "U-Net": Row(UNet, ragged(IMAGES, CLASSES)),
    "MobileNet": Row(Inverted, ragged(IMAGES), twin=hardsigmoid_by_hand),
}
