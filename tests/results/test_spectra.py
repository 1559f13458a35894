"""How eigenpairs read."""

import torch

from egregium.results import Eigenpairs


def test_each_value_stands_with_its_residual() -> None:
    pairs = Eigenpairs(torch.tensor([2.0, 1.5]), torch.empty(3, 0), torch.tensor([0.01, 0.2]))
    assert str(pairs) == "2 +/- 0.01, 1.5 +/- 0.2"
