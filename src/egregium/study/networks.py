"""The architectures of a study."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from egregium.errors import ArgumentError, EgregiumError
from egregium.study.setting import Setting
from egregium.targets import described, named

ACTIVATIONS: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}


def network(setting: Setting, inputs: Tensor, classes: int) -> nn.Module:
    """The network of a setting for inputs like these, initialised by its seed; the global generator stays as it was.

    Raises ArgumentError for an unknown architecture or activation, or one that does not fit the inputs.
    """
    if setting.activation not in ACTIVATIONS:
        raise ArgumentError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {setting.activation!r}.")
    make = ARCHITECTURES.get(setting.architecture)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setting.seed)
        if make is not None:
            return make(setting, inputs, classes)
        if ":" not in setting.architecture:
            raise ArgumentError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}, or file.py:name of a function "
                f"(setting, classes) -> module, got {setting.architecture!r}."
            )
        made = _of_user(setting, classes)
    if not isinstance(made, nn.Module):
        raise ArgumentError(f"{setting.architecture} returned a {type(made).__name__}; a study needs a torch module.")
    return made


def refuse_unfit_network(model: nn.Module, setting: Setting, inputs: Tensor, classes: int) -> None:
    """Raises ArgumentError unless the network makes an output (N, classes) of inputs like these."""
    fits = f"{setting.architecture} must make an output ({len(inputs)}, {classes}) of inputs {tuple(inputs.shape)}"
    try:
        with torch.no_grad():
            output = model.eval()(inputs)
    except Exception as error:
        raise ArgumentError(f"{fits}; it raised {described(error)}") from error
    if not isinstance(output, Tensor) or output.shape != (len(inputs), classes):
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ArgumentError(f"{fits}, got {got}.")


def _of_user(setting: Setting, classes: int) -> object:
    make = named(setting.architecture)
    try:
        return make(setting, classes)
    except EgregiumError:
        raise
    except Exception as error:
        raise ArgumentError(f"{setting.architecture} failed: {described(error)}") from error


def _mlp(setting: Setting, inputs: Tensor, classes: int) -> nn.Module:
    """`depth` hidden layers of `width` units."""
    sizes = [inputs[0].numel(), *[setting.width] * setting.depth]
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), ACTIVATIONS[setting.activation]()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], classes))


def _cnn(setting: Setting, inputs: Tensor, classes: int) -> nn.Module:
    """`depth` convolutions, the first two halving each side; `width` channels, and twice that after the first."""
    if inputs.ndim != 4:
        raise ArgumentError(f"A cnn needs inputs (N, channels, height, width), got {tuple(inputs.shape)}. Use mlp.")
    if setting.depth < 1:
        raise ArgumentError("A cnn needs depth >= 1, got 0.")
    channels = [inputs.shape[1], setting.width, *[2 * setting.width] * (setting.depth - 1)]
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(channels)):
        kernel = 5 if i == 0 else 3
        conv = nn.Conv2d(before, after, kernel, stride=2 if i < 2 else 1, padding=kernel // 2)
        layers += [conv, ACTIVATIONS[setting.activation]()]
    side = [-(-length // 2 ** min(setting.depth, 2)) for length in inputs.shape[2:]]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * side[0] * side[1], classes))


ARCHITECTURES: dict[str, Callable[[Setting, Tensor, int], nn.Module]] = {"cnn": _cnn, "mlp": _mlp}
