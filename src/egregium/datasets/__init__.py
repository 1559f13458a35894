"""Real data that come with installed packages: nothing is downloaded."""

from egregium.datasets.digits import digits
from egregium.datasets.fashion import fashion_mnist
from egregium.datasets.split import Split

__all__ = ["Split", "digits", "fashion_mnist"]
