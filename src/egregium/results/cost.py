"""What a number cost: counted work, with the seconds beside it."""

from dataclasses import dataclass

#: Arithmetic of one Hessian product on a kept gradient graph, in gradients: two matrix products for each of the
#: three of forward and backward pass (interior dense layers; measured 1.4 to 2.2).
GRADIENTS_PER_HVP = 2.0

#: A Gauss-Newton product: J v by two reverse passes and J^T (L J v) by one, against forward plus backward.
GRADIENTS_PER_GGN_PRODUCT = 2.0


@dataclass(frozen=True)
class Cost:
    """Work done, in units that do not depend on the machine.

    One *gradient* is one `autograd.grad` of the loss over the full data. `gradients` is the total in that unit, by
    counted arithmetic (a Hessian product counts 2, the graph that a block of products shares counts 1); `hvps`,
    `ggn_products` and `products` (with a matrix of unknown price) say how many products there were; `seconds` is
    wall time, for information alone.

    >>> Cost(gradients=3.0, hvps=1) + Cost(gradients=2.0, hvps=1)
    Cost(gradients=5.0, hvps=2, ggn_products=0, products=0, seconds=0.0)
    """

    gradients: float = 0.0
    hvps: int = 0
    ggn_products: int = 0
    products: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.gradients + other.gradients,
            self.hvps + other.hvps,
            self.ggn_products + other.ggn_products,
            self.products + other.products,
            self.seconds + other.seconds,
        )

    @property
    def total_products(self) -> int:
        """Products with a matrix of any kind."""
        return self.hvps + self.ggn_products + self.products

    @property
    def effort(self) -> float:
        """What a budget counts: gradients, and products of unknown price as one each."""
        return self.gradients + self.products

    def __str__(self) -> str:
        counts = [f"{self.gradients:,.0f} gradients"] if self.gradients else []
        for number, name in ((self.hvps, "HVP"), (self.ggn_products, "GGN product"), (self.products, "product")):
            counts += [f"{number:,} {name}{'s' * (number > 1)}"] if number else []
        return f"{', '.join(counts) or 'nothing'} in {self.seconds:.3g} s"
