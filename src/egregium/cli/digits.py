"""The demo's input: a small network on the scikit-learn digits, trained in seconds."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from egregium.datasets import Split, digits
from egregium.landscape import Landscape

#: The demo's landscape as a TARGET of the other commands.
TARGET = "egregium.cli.digits:trained"
#: Hidden units, steps of full-batch Adam, its learning rate, and steps between checkpoints.
HIDDEN, STEPS, LEARNING_RATE, KEPT = 32, 300, 0.01, 20


def network(seed: int) -> nn.Module:
    """A smooth network 64-32-10 with tanh: 2,410 parameters. The global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(64, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 10))


def train(model: nn.Module, data: Split, advanced: Callable[[float], None]) -> dict[str, dict[str, Tensor]]:
    """Full-batch Adam on the cross-entropy; `advanced` hears the fraction done after each step.

    Returns the states on the way, the first and the last included, by name.
    """
    states = {"step 0": _state(model)}
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for step in range(STEPS):
        optimiser.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(model(data.inputs), data.targets))
        optimiser.step()
        advanced((step + 1) / STEPS)
        if (step + 1) % KEPT == 0:
            states[f"step {step + 1}"] = _state(model)
    optimiser.zero_grad()
    return states


def accuracy(model: nn.Module, data: Split) -> float:
    """Share of samples whose largest output is the right class."""
    with torch.no_grad():
        return float((model(data.inputs).argmax(1) == data.targets).double().mean())


def trained() -> Landscape:
    """The landscape of the demo after its training, from seed 0."""
    data, _ = digits()
    model = network(0)
    train(model, data, lambda _: None)
    return Landscape(model, nn.CrossEntropyLoss(), (data.inputs, data.targets))


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
