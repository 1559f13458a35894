"""Libraries to compare with, from an environment of their own: `make oracles`."""

import importlib
import os
from collections.abc import Callable
from types import ModuleType

import pytest


def oracle(name: str) -> ModuleType:
    """The module `name`; where it is not installed, a failure in CI and a skip with the reason elsewhere."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = f"{error}; run `make oracles`, then .venv-oracles/bin/python -m pytest tests/oracles"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def library() -> Callable[[str], ModuleType]:
    """A function from the name of an oracle to its module; mark the tests that use it with `pytest.mark.oracle`."""
    return oracle
