"""TARGET of the command line: `file.py:factory` or `package.module:factory`, a function returning a Landscape."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import torch
import typer

from egregium.autodiff import memory_failures
from egregium.cli.checkpoint import load_checkpoint
from egregium.cli.console import described
from egregium.errors import ArgumentError, CheckpointError, EgregiumError, TargetError
from egregium.landscape import Landscape

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
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"{target!r} names no factory. {_FORM}.")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_name(place)
    factory = getattr(module, name, None)
    if not callable(factory):
        own = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        raise TargetError(f"{place} has no function {name!r}; it defines {', '.join(own) or 'none'}. {_FORM}.")
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


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"There is no file {path}. {_FORM}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} cannot be imported as Python. {_FORM}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pickles look their module up by name
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        raise TargetError(f"{path} cannot be imported: {described(error)}") from error
    return module


def _from_name(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise TargetError(f"The module {name} cannot be imported: {described(error)}. {_FORM}.") from error
