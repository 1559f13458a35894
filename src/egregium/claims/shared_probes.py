"""Inner products of the Hessians of all batches of a mean loss by probes that they share, at any n; and their traces.

With Q an orthonormal basis of H Omega, H the mean's Hessian, P = I - Q Q^T and random signs v,

    tr(H_b H_c) = 2 <H_b Q, H_c Q> - <Q^T H_b Q, Q^T H_c Q> + E (P H_b P v) . (P H_c P v),

unbiased whatever Q is, and with little left to sample where H has few large eigenvalues.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import TangentFrame, hessian, tangent_frame
from egregium.curvature.batches import gradients_per_batch
from egregium.errors import OutOfMemoryError, UnsuitableError
from egregium.estimators import TraceMoments
from egregium.estimators.probes import signs
from egregium.landscape import Landscape
from egregium.measurement import trace
from egregium.operators.inner import gram
from egregium.stats import KnownMean

#: Numbers of all batches' products that are held at once, 1 GiB in float64; of those of several vectors.
MOST, HELD = 2**27, 2**24
#: Gradients of a batch that its trace may take.
BUDGET = 1000
#: Streams of Omega and of the probes, apart from those of the library's own estimates.
SKETCH, PROBES = 90, 91


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of a mean loss at one point, as landscapes, with their shares of the terms; the mean's frame."""

    land: Landscape
    singles: tuple[Landscape, ...]
    weights: Float[Tensor, " B"]
    frame: TangentFrame

    def images(self, V: Float[Tensor, "k n"]) -> Iterator[Float[Tensor, "B n"]]:
        """H_b v for all batches, vector by vector: k products in all."""
        step = max(HELD // (len(self.singles) * self.land.n), 1)
        for rows in torch.split(V, step):
            found = V.new_empty(len(rows), len(self.singles), self.land.n)
            for b, single in enumerate(self.singles):
                found[:, b] = (hessian(single) @ rows.T).T
            yield from found

    def signs(self, first: int, count: int, *, seed: int, stream: int) -> Float[Tensor, "k n"]:
        """Random signs, as rows."""
        land = self.land
        return signs(
            land.n, first, count, seed=seed, stream=stream, dtype=land.dtype, device=land.device
        ).T.contiguous()


@dataclass(frozen=True, eq=False)
class Probed:
    """What is known of all batches: tr H_b, their errors independent; samples of tr(H_b H_c), one a probe."""

    traces: tuple[KnownMean, ...]
    inner: Float[Tensor, "k B B"]

    @property
    def means(self) -> Float[Tensor, " B"]:
        """tr H_b."""
        return self.inner.new_tensor([t.value for t in self.traces])

    def pairs(self) -> Float[Tensor, "B B"]:
        """T(H_b, H_c), unbiased: from the square of a trace its variance is taken."""
        variances = self.inner.new_tensor([t.stderr**2 for t in self.traces])
        return torch.outer(self.means, self.means) - torch.diag(variances) - self.inner.mean(0)

    def moments(self, weights: Float[Tensor, " B"]) -> TraceMoments:
        """Trace and squared norm of the Hessian of the loss with these weights."""
        stderrs = [w * t.stderr for w, t in zip(weights.tolist(), self.traces, strict=True)]
        variance = sum(s**2 for s in stderrs)
        shares = sum(s**4 / t.degrees for s, t in zip(stderrs, self.traces, strict=True) if s)
        degrees = variance**2 / shares if shares else math.inf  # Welch and Satterthwaite
        known = KnownMean(float(weights @ self.means), math.sqrt(variance), degrees)
        squares = self.inner @ weights @ weights
        return TraceMoments(squares, squares, exact=False, known=known)


@dataclass(frozen=True, eq=False)
class Sketch:
    """Q as rows, and what it has of tr(H_b H_c)."""

    basis: Float[Tensor, "m n"]
    inner: Float[Tensor, "B B"]

    def samples(self, batches: Batches, first: int, count: int, seed: int) -> Float[Tensor, "k B B"]:
        """tr(H_b H_c) by some probes: `count` products."""
        V = self._across(batches.signs(first, count, seed=seed, stream=PROBES))
        found = list[Tensor]()
        for images in batches.images(V):
            rows = self._across(images)
            found.append(self.inner + gram(rows, rows))
        return torch.stack(found)

    def _across(self, rows: Float[Tensor, "k n"]) -> Float[Tensor, "k n"]:
        """P of each row."""
        return rows - (rows @ self.basis.T) @ self.basis


def sketched(batches: Batches, depth: int, seed: int) -> Sketch:
    """A sketch of the mean's Hessian: 2 `depth` products."""
    omega = batches.signs(0, min(depth, batches.land.n), seed=seed, stream=SKETCH)
    basis: Tensor = torch.linalg.qr(hessian(batches.land) @ omega.T).Q.T.contiguous()
    B = len(batches.singles)
    inner = torch.zeros(B, B, dtype=torch.float64, device=basis.device)
    within = list[Tensor]()
    for images in batches.images(basis):
        inner += 2 * gram(images, images)
        within.append(gram(images, basis))
    flat = torch.stack(within, 1).flatten(1)
    return Sketch(basis, inner - flat @ flat.T)


def traces_of(batches: Batches, rtol: float, seed: int) -> tuple[KnownMean, ...]:
    """tr H_b of every batch, by probes of its own."""
    found = (trace(single, rtol=rtol, budget=BUDGET, seed=seed + b) for b, single in enumerate(batches.singles))
    return tuple(KnownMean(e.value, e.stderr, e.degrees) for e in found)


def batches_of(here: Landscape) -> Batches:
    """Raises UnsuitableError where they are fewer than two or f is a sum, OutOfMemoryError where they are too many."""
    singles = tuple(here.single_batches())
    if len(singles) < 2:
        raise UnsuitableError(
            "C9 is about the mini-batches of a loss, and this landscape has one batch. Pass data as a list of batches "
            "or a DataLoader."
        )
    if not here.is_mean:
        raise UnsuitableError("C9 is about a mean over loss terms, and this loss is their sum. Use one that averages.")
    if len(singles) * here.n > MOST:
        raise OutOfMemoryError(
            f"C9 holds a product of each batch at once: {len(singles)} of {here.n:,} numbers, at most {MOST:,} in all. "
            "Pass fewer, larger batches, or measure a part of the parameters (params=)."
        )
    frame = tangent_frame(here)
    sizes = gradients_per_batch(here, frame.gradient.unsqueeze(0)).sizes
    if len(sizes) != len(singles):
        raise UnsuitableError("A batch has no loss terms (are all its targets ignored?). Drop it, and run C9 again.")
    return Batches(here, singles, sizes.to(here.device) / sizes.sum(), frame)
