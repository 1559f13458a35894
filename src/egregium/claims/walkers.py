"""A network's loss at many points at once: for walkers that leave a minimum, and for gradients of single samples."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from egregium.landscape import Landscape

#: Walkers whose losses are taken at once.
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Walkers:
    """The loss of `land`, a model's mean cross-entropy over (x, y) with weight decay, at many points."""

    land: Landscape
    decay: float
    x: Tensor
    y: Tensor

    def losses(self, points: Tensor) -> Tensor:
        """(k,) f at points (k, n)."""
        parts = [self._cross_entropies(part, None) for part in points.split(CHUNK)]  # type: ignore[no-untyped-call]
        return torch.cat(parts) + self.decay / 2 * points.square().sum(1)

    def gradients(self, points: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(k, n) the gradients at points (k, n), of all data or of the samples `chosen` (k, b), each point its own."""
        points = points.detach().requires_grad_()
        (found,) = torch.autograd.grad(self._cross_entropies(points, chosen).sum(), points)
        rows: Tensor = found
        self.land.add_decay(rows, points.detach())
        return rows

    def noise_covariance(self) -> Tensor:
        """(n, n) covariance C over samples of their gradients at the landscape's point: a mini-batch of b has C / b."""
        each = torch.arange(len(self.y)).unsqueeze(1)
        rows = self.gradients(self.land.theta.expand(len(self.y), -1), each)
        centred = rows - rows.mean(0)
        return centred.T @ centred / len(rows)

    def _cross_entropies(self, points: Tensor, chosen: Tensor | None) -> Tensor:
        model = self.land.model
        assert model is not None

        def loss(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
            output = torch.func.functional_call(model, self.land.unflatten(theta), (x,))
            return nn.functional.cross_entropy(output, y)

        data = (self.x, self.y) if chosen is None else (self.x[chosen], self.y[chosen])
        own = None if chosen is None else 0
        found: Tensor = torch.func.vmap(loss, in_dims=(0, own, own))(points, *data)
        return found


def walkers_of(land: Landscape, decay: float) -> Walkers:
    """Of a landscape whose data are one batch."""
    ((x, y),) = land.data
    return Walkers(land, decay, x, y)
