"""One network of a study: its hyper-parameters, and the seed of all that is random in it."""

from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from egregium.errors import ArgumentError

Level = str | int | float

OPTIMISERS = ("sgd", "sam", "adam")


@dataclass(frozen=True)
class Setting:
    """The hyper-parameters of a network.

    Attributes:
        architecture: "mlp", "cnn", or file.py:name of a function (Setting, classes) -> module.
        batch_size, learning_rate, weight_decay: of its optimiser; the penalty is (weight_decay / 2) |theta|^2.
        width, depth: hidden units of a layer, or channels of the first one; hidden layers.
        optimiser: "sgd" (momentum 0.9), "sam" (the same after an ascent of length 0.05; P. Foret et al.,
            arXiv 2010.01412), or "adam".
        activation: "gelu", "relu" or "tanh".
        label_noise: the share of training labels that are replaced by uniformly drawn ones.
        seed: of the initialisation, the order of the batches and the noise of the labels.
    """

    architecture: str = "mlp"
    batch_size: int = 32
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    width: int = 32
    depth: int = 2
    optimiser: str = "sgd"
    activation: str = "gelu"
    label_noise: float = 0.0
    seed: int = 0

    @property
    def key(self) -> str:
        """By which its record is found again."""
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


#: What two networks may differ in.
HYPER_PARAMETERS = tuple(field.name for field in fields(Setting))
_TYPES = get_type_hints(Setting)


def setting(values: dict[str, Any]) -> Setting:
    """A setting with these values. Raises ArgumentError for a name or a value that is none of a hyper-parameter's.

    >>> setting({"depth": 3}).depth
    3
    """
    unknown = sorted(values.keys() - _TYPES.keys())
    if unknown:
        raise ArgumentError(
            f"There is no hyper-parameter {', '.join(map(repr, unknown))}. There are {', '.join(HYPER_PARAMETERS)}."
        )
    kept = {name: _of_type(name, value) for name, value in values.items()}
    made = Setting(**kept)
    positive = ("batch_size", "learning_rate", "width")
    wrong = [name for name in positive if not getattr(made, name) > 0]
    wrong += [name for name in ("weight_decay", "depth", "seed") if not getattr(made, name) >= 0]
    if wrong:
        raise ArgumentError(f"{wrong[0]} must be {'positive' if wrong[0] in positive else 'at least 0'}, got {made}.")
    if made.optimiser not in OPTIMISERS:
        raise ArgumentError(f"optimiser must be one of {', '.join(OPTIMISERS)}, got {made.optimiser!r}.")
    if not 0 <= made.label_noise < 1:
        raise ArgumentError(f"label_noise is a share of the labels, at least 0 and below 1, got {made.label_noise}.")
    return made


def _of_type(name: str, value: Any) -> Any:
    wanted = _TYPES[name]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ArgumentError(f"{name} must be of type {wanted.__name__}, got {value!r}.")
    return value
