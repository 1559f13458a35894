"""The environment is the one we run in."""

import torch

from egregium.results import environment


def test_it_is_this_environment() -> None:
    here = environment(torch.device("cpu"), torch.float64, 7)
    assert (here.torch, here.dtype, here.device, here.seed) == (torch.__version__, "float64", "cpu", 7)
    assert here.threads == torch.get_num_threads()
