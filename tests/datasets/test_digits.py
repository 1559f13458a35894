"""The digits: a fixed split of real images."""

import sys

import pytest
import torch

from egregium.datasets import digits
from egregium.errors import DataError


def test_split_is_fixed_and_whole() -> None:
    (a, b), (again, _) = digits(), digits()
    assert len(a) + len(b) == 1_797
    assert torch.equal(a.inputs, again.inputs)
    assert a.inputs.min() >= 0
    assert a.inputs.max() <= 1


def test_without_scikit_learn_the_install_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"pip install 'egregium\[demo\]'"):
        digits()
