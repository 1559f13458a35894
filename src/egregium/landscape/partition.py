"""Which parameters make a block: a tensor, a layer, or what patterns of names say."""

from collections.abc import Mapping, Sequence
from typing import Literal

from egregium.errors import ArgumentError
from egregium.landscape.landscape import Landscape
from egregium.landscape.selection import matches, refuse_unmatched, some, tied_names

#: "tensor", "layer", or {name of a block: pattern of parameter names, or several}.
By = Literal["tensor", "layer"] | Mapping[str, str | Sequence[str]]

#: What the block of parameters that belong to no layer but to the model itself is called.
ROOT = "(model)"


def partition(land: Landscape, by: By) -> dict[str, tuple[int, ...]]:
    """The blocks by name, each as the places of its parameters in `land.shapes`.

    A layer is a module that owns parameters. A tied parameter belongs to the first of its names, and to a pattern that
    matches any of them. Patterns need not cover all parameters. Raises ArgumentError where `by` is none of these, a
    pattern matches nothing that is measured, or two blocks want the same parameter.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    >>> partition(Landscape(net, torch.nn.MSELoss(), (torch.ones(1, 2), torch.ones(1, 1))), "layer")
    {'0': (0, 1), '2': (2, 3)}
    """
    if isinstance(by, Mapping):
        return _named(land, by)
    if by not in ("tensor", "layer"):
        raise ArgumentError(f'by= must be "tensor", "layer" or {{"name of a block": "pattern"}}, got {by!r}.')
    blocks: dict[str, tuple[int, ...]] = {}
    for i, name in enumerate(land.shapes):
        block = name if by == "tensor" else name.rpartition(".")[0] or ROOT
        blocks[block] = (*blocks.get(block, ()), i)
    return blocks


def _named(land: Landscape, by: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[int, ...]]:
    if not by:
        raise ArgumentError('by= names no block: the mapping is empty. Pass {"name of a block": "pattern"}.')
    names = [[name] if land.model is None else tied_names(land.model, name) for name in land.shapes]
    blocks: dict[str, tuple[int, ...]] = {}
    owner: dict[int, str] = {}
    for block, given in by.items():
        patterns = [given] if isinstance(given, str) else given
        if not (isinstance(patterns, (list, tuple)) and patterns and all(isinstance(p, str) for p in patterns)):
            raise ArgumentError(f"by[{block!r}] must be a pattern of parameter names, or several, got {given!r}.")
        members = sorted({i for pattern in patterns for i in _matched(land, names, block, pattern)})
        twice = [i for i in members if i in owner]
        if twice:
            raise ArgumentError(
                f"The blocks {owner[twice[0]]!r} and {block!r} overlap: both match "
                f"{some([list(land.shapes)[i] for i in twice])}. Each parameter may belong to one block."
            )
        owner |= dict.fromkeys(members, block)
        blocks[block] = tuple(members)
    return blocks


def _matched(land: Landscape, names: Sequence[Sequence[str]], block: str, pattern: str) -> list[int]:
    """The parameters that a pattern matches by any of their names; ArgumentError where there is none."""
    found = [i for i, tied in enumerate(names) if any(matches(name, pattern) for name in tied)]
    if not found:
        if land.model is not None:
            refuse_unmatched(land.model, [pattern], f"by[{block!r}]")
        raise ArgumentError(
            f"by[{block!r}]={pattern!r} matches no parameter that is measured. There are: {some(list(land.shapes))}."
        )
    return found
