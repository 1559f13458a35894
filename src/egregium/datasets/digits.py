"""The scikit-learn digits: 1,797 images of 8 x 8 pixels."""

import torch

from egregium.datasets.split import Split
from egregium.errors import DataError

#: Samples kept for testing.
TEST = 360


def digits() -> tuple[Split, Split]:
    """The digits as inputs (N, 64), shuffled with a fixed seed: 1,437 for training, 360 for testing.

    Raises DataError where scikit-learn, which ships them, is not installed.

    >>> train, test = digits()
    >>> train.inputs.shape, len(test), train.inputs.max().item()
    (torch.Size([1437, 64]), 360, 1.0)
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 an extra
    except ImportError as error:
        raise DataError("The digits come with scikit-learn: pip install 'egregium[demo]'.") from error
    images, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(0))
    x = torch.tensor(images / 16, dtype=torch.float32)[order]
    y = torch.tensor(classes)[order]
    return Split(x[:-TEST], y[:-TEST]), Split(x[-TEST:], y[-TEST:])
