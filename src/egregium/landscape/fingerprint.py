"""Digests of data, point and model: one look at the batches, which computes nothing."""

from collections import UserDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from egregium.landscape.batch import samples_of
from egregium.landscape.fetching import fetched_once
from egregium.landscape.objective import ModelObjective, Objective
from egregium.results.fingerprint import Fingerprint

#: Hexadecimal digits that are kept: 64 bits tell any two apart that chance could confuse.
DIGITS = 16
#: Values whose repr is all that they are, and how deep objects are looked into.
PLAIN, DEEPEST = (str, bytes, bool, int, float, complex, np.generic, Enum), 20


class UnseenError(Exception):
    """An object's content is not to be seen from here."""


class Digest(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take in these bytes."""

    def hexdigest(self) -> str:
        """The digest so far."""


def fingerprint(objective: Objective, theta: Tensor) -> Fingerprint:
    """The fingerprint of an objective at theta.

    Every batch is hashed whole, in the order of a pass: dtypes, shapes and bytes of tensors and arrays, plain values by
    repr, other objects by their attributes. So it depends on order and split of the data, which f does not; it does
    not depend on the device, nor on the dtype that the batches are cast to.
    """
    point = sha256()
    add(point, theta)
    if objective.norms is not None:  # x is one point for each D
        add(point, objective.norms.factors)
    if not isinstance(objective, ModelObjective):
        return Fingerprint(0, 0, "", point.hexdigest()[:DIGITS], "function")
    data, model, rest = sha256(), sha256(), sha256()
    samples = batches = 0
    seen = True
    with fetched_once(objective.model, objective.data) as found:
        for batch in found:
            try:
                add(data, batch)
            except UnseenError:
                seen = False
            samples, batches = samples + samples_of(batch), batches + 1
    add(model, {name: tuple(p.shape) for name, p in objective.parameters().items()})
    add(rest, objective.rest())
    kind = type(objective.model).__name__
    of_data, of_point, of_model, of_rest = (digest.hexdigest()[:DIGITS] for digest in (data, point, model, rest))
    known = of_data if seen else ""
    loss = "" if objective.known_loss is None else _words(*objective.known_loss)
    return Fingerprint(samples, batches, known, of_point, f"{kind} {of_model}", of_rest, loss)


def _words(function: Callable[..., Tensor], options: Mapping[str, Any]) -> str:
    """A loss of torch's with its options: numbers and words as they are, tensors by their digest."""
    told = []
    for name, value in sorted(options.items()):
        digest = sha256()
        if isinstance(value, Tensor):
            add(digest, value)
        told.append(f"{name}={digest.hexdigest()[:DIGITS] if isinstance(value, Tensor) else value}")
    return f"{function.__name__}({', '.join(told)})"


def add(digest: Digest, value: Any, depth: int = 0) -> None:
    """Take `value` into the digest, with its structure: no two different values feed it the same bytes.

    Raises UnseenError where the content of an object cannot be seen.
    """
    if isinstance(value, (Tensor, np.ndarray)):
        _add_array(digest, value)
    elif isinstance(value, (Mapping, UserDict)):
        _begin(digest, "mapping", len(value))
        for key, item in value.items():
            add(digest, key, depth + 1)
            add(digest, item, depth + 1)
    elif isinstance(value, (tuple, list)):
        _begin(digest, "sequence", len(value))
        for item in value:
            add(digest, item, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        add(digest, {f.name: getattr(value, f.name) for f in fields(value)}, depth + 1)
    elif isinstance(value, PLAIN) or value is None:
        _add_bytes(digest, type(value).__qualname__, repr(value).encode())
    elif hasattr(value, "__dict__") and depth < DEEPEST:  # an object of the user's own
        _begin(digest, type(value).__qualname__, len(vars(value)))
        add(digest, dict(vars(value)), depth + 1)
    else:
        raise UnseenError(type(value).__name__)


def _add_array(digest: Digest, value: Tensor | np.ndarray[Any, Any]) -> None:
    content: Any
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()).encode() if value.dtype.hasobject else np.ascontiguousarray(value).tobytes()
        _add_bytes(digest, f"{value.dtype} {value.shape}", content)
    elif value.is_nested:
        add(digest, list(value.detach().unbind()))
    else:
        with torch.no_grad():
            dense = value.detach() if value.layout is torch.strided else value.detach().to_dense()
            flat = dense.resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
            _add_bytes(digest, f"{value.dtype} {tuple(value.shape)}", flat.view(torch.uint8).numpy().data)


def _add_bytes(digest: Digest, kind: str, content: bytes | memoryview) -> None:
    size = content.nbytes if isinstance(content, memoryview) else len(content)
    _begin(digest, kind, size)
    if size:  # hashlib refuses an empty array's memory
        digest.update(content)


def _begin(digest: Digest, kind: str, length: int) -> None:
    digest.update(f"{kind} {length}:".encode())
