"""Autocast of the caller is off inside, and as it was afterwards."""

import pytest
import torch

from egregium.measurement.precision import in_full_precision


def test_autocast_is_off_inside_and_on_again() -> None:
    a = torch.ones(3, 3)

    @in_full_precision
    def product(what: torch.Tensor) -> torch.dtype:
        return (what @ what).dtype

    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert product(a) == torch.float32
        assert (a @ a).dtype == torch.bfloat16


def test_also_when_it_raises() -> None:
    @in_full_precision
    def fails(what: torch.Tensor) -> None:
        raise RuntimeError("no")

    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(RuntimeError):
            fails(torch.ones(1))
        assert torch.is_autocast_enabled("cpu")
