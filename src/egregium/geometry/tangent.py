"""The tangent space of the loss graph at a point: metric, embedding and curvature, by products alone.

Conventions (docs/geometry.md): the unit normal is `(-g, 1) / W`, so that h is positive where the loss bends upwards;
R(x, y) z = h(y, z) S x - h(x, z) S y, and K is positive on a sphere.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from egregium.curvature import TangentFrame, hessian, tangent_frame
from egregium.curvature.hessian import Hessian
from egregium.errors import ArgumentError, OutOfMemoryError
from egregium.geometry.arguments import landscape, orthonormal_columns, rows_of, vector
from egregium.landscape import Landscape
from egregium.operators import Stretch, dense_matrix
from egregium.operators.inner import dots, gram

Vector = Float[Tensor, " n"]

#: Sine of an angle, in units of the dtype's epsilon, below which two vectors are taken for parallel.
PARALLEL = 64.0
#: Rows up to which an (n x n) matrix is formed where it is asked for: 200 MB in float64.
MOST_ROWS = 5000


@dataclass(frozen=True, eq=False)
class TangentSpace:
    """The tangent space of the graph of f at a point theta, in the coordinates of theta.

    With g = grad f, H = Hess f, `W = sqrt(1 + |g|^2)` and `beta = 1 / W^2`. Vectors are tensors of shape (n,), moved to
    the landscape's dtype and device. Nothing of size n x n is formed but by `metric_matrix`. Metric quantities cost a
    few inner products; those of curvature one Hessian product each, or two.

    Attributes:
        land: the landscape, at this point for good.
        frame: loss, gradient and |g|.

    Methods raise ArgumentError where a vector does not fit, and where vectors span no plane or have no length.

    >>> f = lambda x: -torch.sqrt(4 - x @ x)  # the lower half of a sphere of radius 2
    >>> T = tangent_space(Landscape.from_function(f, torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64)))
    >>> x, y, z = torch.eye(3, dtype=torch.float64)
    >>> round(T.sectional_curvature(x, y), 12), round(T.ricci(x, x, 1.5) / T.inner(x, x), 12)  # 1 / r^2, (n - 1) / r^2
    (0.25, 0.5)
    """

    land: Landscape
    frame: TangentFrame

    @property
    def n(self) -> int:
        return self.land.n

    @property
    def gradient(self) -> Vector:
        """g, Euclidean: the coordinates of df."""
        return self.frame.gradient

    @property
    def riemannian_gradient(self) -> Vector:
        """metric^-1 g = beta g: the vector whose inner product with x is df(x)."""
        return self.gradient * self.beta

    @property
    def W(self) -> float:
        """The volume element sqrt(det metric) = sqrt(1 + |g|^2)."""
        return self.frame.W

    @property
    def beta(self) -> float:
        """1 / W^2."""
        return self.W**-2

    @property
    def determinant(self) -> float:
        """det metric = W^2."""
        return self.W**2

    @property
    def metric(self) -> Stretch:
        """I + g g^T."""
        return Stretch(self.gradient, self.W**2)

    @property
    def inverse_metric(self) -> Stretch:
        """I - beta g g^T."""
        return Stretch(self.gradient, self.beta)

    @property
    def root(self) -> Stretch:
        """metric^(1/2) = I + (W - 1) u u^T, u = g / |g|: turns the metric into the Euclidean inner product."""
        return Stretch(self.gradient, self.W)

    @property
    def inverse_root(self) -> Stretch:
        """P = metric^(-1/2); its columns P e_i are a frame that is orthonormal in the metric."""
        return self.frame.root()

    def metric_matrix(self) -> Float[Tensor, "n n"]:
        """I + g g^T as a matrix. Raises OutOfMemoryError above 5,000 rows; `metric` is the same at any n."""
        if self.n > MOST_ROWS:
            raise OutOfMemoryError(
                f"metric_matrix would be {self.n:,} x {self.n:,}; at most {MOST_ROWS:,} rows are formed. "
                "Use metric @ x, which needs no matrix."
            )
        return dense_matrix(self.metric)

    @property
    def normal(self) -> Float[Tensor, " n+1"]:
        """The unit normal (-g, 1) / W in R^(n+1); it points to larger losses."""
        return torch.cat([-self.gradient, self.gradient.new_ones(1)]) / self.W

    def lifted(self, x: Vector) -> Float[Tensor, " n+1"]:
        """The tangent vector (x, g^T x) in R^(n+1)."""
        x = self._vector(x)
        return torch.cat([x, x.new_full((1,), self._dot(self.gradient, x))])

    def inner(self, x: Vector, y: Vector) -> float:
        """<x, y> = x^T y + (g^T x)(g^T y)."""
        x, y = self._vector(x), self._vector(y)
        return self._dot(x, y) + self._dot(self.gradient, x) * self._dot(self.gradient, y)

    def norm(self, x: Vector) -> float:
        """|x| in the metric: how far a step x goes on the graph, to first order."""
        x = self._vector(x)
        return math.hypot(math.sqrt(self._dot(x, x)), self._dot(self.gradient, x))

    def angle(self, x: Vector, y: Vector) -> float:
        """The angle between x and y on the graph, in [0, pi], to full precision near 0 and pi (W. Kahan)."""
        a, b = (self._unit(v, "x and y of angle") for v in (x, y))
        return 2 * math.atan2(_length(a - b), _length(a + b))

    def orthonormal(self, X: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """An orthonormal basis, in the metric, of the span of X's columns: P Q, with Q R = P^-1 X.

        Raises ArgumentError where the columns are linearly dependent.
        """
        Y = (self.root @ rows_of(self.land, X, "orthonormal's X").T.contiguous()).T
        Y = Y / _lengths(Y).clamp_min(torch.finfo(Y.dtype).tiny).unsqueeze(1)
        Q, R = orthonormal_columns(Y.T)
        eps: float = torch.finfo(Y.dtype).eps
        if Y.shape[0] > self.n or bool((R.diagonal().abs() < PARALLEL * eps * math.sqrt(len(Y))).any()):
            raise ArgumentError(
                "The vectors are linearly dependent, or one of them is zero: they span no plane (no space of their "
                "number of dimensions). Pass independent ones."
            )
        basis: Tensor = self.inverse_root @ Q
        return basis

    def second_fundamental_form(self, x: Vector, y: Vector) -> float:
        """h(x, y) = x^T H y / W, along the normal (-g, 1) / W. One product."""
        return self._dot(self._vector(x), self._product(y)) / self.W

    def shape(self, x: Vector) -> Vector:
        """S x = metric^-1 H x / W; symmetric in the metric, h(x, y) = <S x, y>. One product."""
        return self.inverse_metric @ self._product(x) / self.W

    def christoffel(self, x: Vector, y: Vector) -> Vector:
        """Gamma(x, y)^i = Gamma^i_kl x^k y^l = beta (x^T H y) g^i. One product."""
        return self.riemannian_gradient * self._dot(self._vector(x), self._product(y))

    def riemann(self, x: Vector, y: Vector, z: Vector) -> Vector:
        """R(x, y) z = h(y, z) S x - h(x, z) S y; in indices R^i_klm z^k x^l y^m. Two products."""
        z = self._vector(z)
        Hx, Hy = self._products(x, y)
        found = Hx * self._dot(Hy, z) - Hy * self._dot(Hx, z)
        return self.inverse_metric @ found * self.beta

    def sectional_curvature(self, x: Vector, y: Vector) -> float:
        """K of the plane of x and y: `<R(x, y) y, x> / (|x|^2 |y|^2 - <x, y>^2)`. Two products.

        Raises ArgumentError where they span no plane.
        """
        a, b = self.orthonormal(torch.stack([self._vector(x), self._vector(y)], 1)).T
        Ha, Hb = self._products(a, b)
        return self.beta * (self._dot(a, Ha) * self._dot(b, Hb) - self._dot(a, Hb) ** 2)

    def ricci(self, x: Vector, y: Vector, trace: float) -> float:
        """Ric(x, y) = tr(S) h(x, y) - h(x, S y), for `trace` = tr S. Two products.

        `geometry.ricci` finds tr S itself, and gives an interval.
        """
        h, third = self.fundamental_forms(x, y)
        return trace * h - third

    def fundamental_forms(self, x: Vector, y: Vector) -> tuple[float, float]:
        """h(x, y) and h(x, S y) = <S x, S y>, the second and the third. Two products, in one pass.

        The third as the inner product of P H x and P H y over W^2, which has no cancellation where g is large.
        """
        Hx, Hy = self._products(x, y)
        a, b = ((self.inverse_root @ torch.stack([Hx, Hy], 1)) / self.W).T
        return self._dot(self._vector(x), Hy) / self.W, self._dot(a.contiguous(), b.contiguous())

    def third_fundamental_form(self, x: Vector, y: Vector) -> float:
        """h(x, S y) = <S x, S y>, the metric of the Gauss map's image. Two products."""
        return self.fundamental_forms(x, y)[1]

    def _vector(self, x: Vector) -> Vector:
        return vector(self.land, x, "A tangent vector")

    def _unit(self, x: Vector, what: str) -> Vector:
        """metric^(1/2) x over its length."""
        y = self.root @ self._vector(x)
        length = _length(y)
        if not length > 0:
            raise ArgumentError(f"{what} must not be zero: a zero vector has no direction.")
        return y / length

    @property
    def hessian(self) -> Hessian:
        """H at this point."""
        return hessian(self.land)

    def _product(self, x: Vector) -> Vector:
        return self.hessian @ self._vector(x)

    def _products(self, x: Vector, y: Vector) -> tuple[Vector, Vector]:
        X = self.hessian @ torch.stack([self._vector(x), self._vector(y)]).T
        return X[:, 0].contiguous(), X[:, 1].contiguous()

    @staticmethod
    def _dot(x: Vector, y: Vector) -> float:
        return float(dots(x.unsqueeze(0), y.unsqueeze(0)))


def tangent_space(land: Landscape, *, scale: float = 1.0) -> TangentSpace:
    """The tangent space of the graph of scale * f at the landscape's point. Costs one gradient.

    Raises ArgumentError where `land` is no Landscape, LossError where loss or gradient are not finite.
    """
    here = landscape(land).scaled(scale).fixed()
    return TangentSpace(here, tangent_frame(here))


def _length(x: Vector) -> float:
    return math.sqrt(float(dots(x.unsqueeze(0), x.unsqueeze(0))))


def _lengths(X: Float[Tensor, "k n"]) -> Float[Tensor, " k"]:
    return gram(X, X).diagonal().sqrt().to(X.dtype)
