"""Steps of optimisers, against torch's own and against SAM written out."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from egregium.study.setting import Setting
from egregium.study.steps import MOMENTUM, RHO, optimiser_step


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 3)).double()


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(1)
    sizes = [7] * (count - 1) + [4]
    return [
        (torch.randn(size, 5, dtype=torch.float64, generator=draw), torch.randint(0, 3, (size,), generator=draw))
        for size in sizes
    ]


def flat(model: nn.Module) -> Tensor:
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach()


@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_torch_s_own(optimiser: str, decay: float) -> None:
    mine = network()
    theirs = copy.deepcopy(mine)
    step = optimiser_step(mine, Setting(optimiser=optimiser, learning_rate=0.1, weight_decay=decay))
    other = (
        torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=MOMENTUM, weight_decay=decay)
        if optimiser == "sgd"
        else torch.optim.Adam(theirs.parameters(), lr=0.1, weight_decay=decay)
    )
    for x, y in batches(12):
        step(x, y)
        other.zero_grad()
        cross_entropy(theirs(x), y).backward()
        other.step()
    torch.testing.assert_close(flat(mine), flat(theirs), rtol=1e-12, atol=1e-14)


def test_sam_takes_the_gradient_at_the_end_of_its_ascent() -> None:
    mine = network()
    theirs = copy.deepcopy(mine)
    step = optimiser_step(mine, Setting(optimiser="sam", learning_rate=0.1, weight_decay=0.02))
    velocity = torch.zeros_like(flat(theirs))
    for x, y in batches(6):
        step(x, y)
        theta = flat(theirs)
        g = gradient(theirs, x, y)
        nn.utils.vector_to_parameters(theta + RHO * g / g.norm(), theirs.parameters())
        g = gradient(theirs, x, y)
        velocity = MOMENTUM * velocity + g + 0.02 * theta
        nn.utils.vector_to_parameters(theta - 0.1 * velocity, theirs.parameters())
    torch.testing.assert_close(flat(mine), flat(theirs), rtol=1e-10, atol=1e-12)


def gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    slopes = torch.autograd.grad(cross_entropy(model(x), y), list(model.parameters()))
    return torch.cat([slope.reshape(-1) for slope in slopes])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimiser", ["sgd", "sam"])
def test_a_step_on_a_gpu_is_the_step(optimiser: str) -> None:
    here, there = network(), network().cuda()
    setting = Setting(optimiser=optimiser, learning_rate=0.1, weight_decay=0.02)
    one, two = (optimiser_step(model, setting) for model in (here, there))
    for x, y in batches(9):
        one(x, y)
        two(x.cuda(), y.cuda())
    torch.testing.assert_close(flat(there).cpu(), flat(here), rtol=1e-9, atol=1e-11)
