"""TARGET of the command line: `file.py:factory` or `package.module:factory`, a function returning a Landscape."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from egregium.autodiff import memory_failures
from egregium.cli.checkpoint import load_checkpoint
from egregium.errors import ArgumentError, CheckpointError, EgregiumError, TargetError
from egregium.landscape import Landscape
from egregium.targets import described, named

_FORM = "TARGET is file.py:factory or package.module:factory, where factory() returns an egregium Landscape"

#: The argument of every command that measures.
Target = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="file.py:factory or package.module:factory, returning a Landscape."),
]
#: Names of --dtype.
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}


def prepared_landscape(target: str, checkpoint: Path | None, device: str | None, dtype: str | None) -> Landscape:
    """The landscape of `target` at a checkpoint, on a device and in a dtype, where these are given.

    Raises TargetError, CheckpointError, ArgumentError where something of it cannot be had.
    """
    if dtype is not None and dtype not in DTYPES:
        raise ArgumentError(f"--dtype must be one of {', '.join(DTYPES)}, got {dtype!r}.")
    land = landscape_of(target)
    if checkpoint is not None:
        if land.model is None:
            raise CheckpointError(f"{target} is a plain function and has no model to load {checkpoint} into.")
        load_checkpoint(land.model, checkpoint)
    return land.to(device, DTYPES[dtype] if dtype is not None else None)


def landscape_of(target: str) -> Landscape:
    """The landscape that the factory named by `target` returns.

    Raises TargetError where it cannot be imported, is no function, fails, or returns something else.
    """
    factory = named(target, _FORM)
    _refuse_arguments(target, factory)
    try:
        with memory_failures():
            land = factory()
    except EgregiumError:
        raise
    except (Exception, SystemExit) as error:
        raise TargetError(f"{target} failed: {described(error)}") from error
    if not isinstance(land, Landscape):
        raise TargetError(f"{target} returned a {type(land).__name__}. {_FORM}.")
    return land


def _refuse_arguments(target: str, factory: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # it has none
        return
    try:
        signature.bind()
    except TypeError as error:
        raise TargetError(f"{target} cannot be called without arguments: {error}. {_FORM}.") from error
