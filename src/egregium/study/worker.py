"""One network of a study, from its setting to its record; what a process of a sweep runs."""

import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import egregium
from egregium.datasets import Split, digits, fashion_mnist
from egregium.errors import ArgumentError, DataError, EgregiumError, TargetError
from egregium.landscape import Landscape
from egregium.results import Network, environment
from egregium.study.measures import Number, Subject, measured
from egregium.study.networks import network
from egregium.study.plan import Plan
from egregium.study.setting import Setting
from egregium.study.training import mean_loss, noisy, train
from egregium.targets import described, named

#: Samples of a batch when the landscape is measured: on a CPU a CNN's products take 0.75 times as long with 500 as with
#: 2500, whose graph leaves the cache; a GPU wants few launches.
BATCH = {"cpu": 500, "cuda": 2500}


def record(plan: Plan, setting: Setting, device: str = "cpu") -> Network:
    """Train the network of a setting to the plan's level, and measure it there.

    What goes wrong with this network is in its record; what would go wrong with all of them (data that are missing, an
    unknown architecture, a mistake in the user's measures) is raised.
    """
    started = time.perf_counter()
    train_data, test = (part.to(device) for part in data(plan.data, plan.train))
    classes = class_count(train_data, test)
    own = noisy(train_data, setting, classes)
    model = network(setting, own.inputs[:1], classes).to(device)
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    ended = train(model, own, setting, plan.loss, plan.epochs)
    trained = time.perf_counter()
    status, reason, numbers = str(ended.status), "", _quality(model, own, test)
    if ended.status == "trained":
        try:
            numbers |= _measures(plan, setting, model, own, start)
        except (ArgumentError, TargetError):  # of the user's own measures: it is wrong with all of them
            raise
        except EgregiumError as error:
            status, reason = "not measured", str(error)
    return Network(
        setting=dict(vars(setting)),
        status=status,
        reason=reason,
        numbers={name: number.value for name, number in numbers.items()},
        half_widths={name: number.half_width for name, number in numbers.items()},
        parameters=start.numel(),
        epochs=ended.epochs,
        training_seconds=trained - started,
        seconds=time.perf_counter() - started,
        data=digest(own),
        code=code(),
        environment=environment(torch.device(device), torch.float32, setting.seed),
    )


def _quality(model: nn.Module, own: Split, test: Split) -> dict[str, Number]:
    """Loss and error on both sides, and the gaps between them: test minus training."""
    (loss, error), (test_loss, test_error) = mean_loss(model, own), mean_loss(model, test)
    numbers = {"train_loss": loss, "test_loss": test_loss, "train_error": error, "test_error": test_error}
    numbers |= {"error_gap": test_error - error, "loss_gap": test_loss - loss}
    return {name: Number(value) for name, value in numbers.items()}


def _measures(plan: Plan, setting: Setting, model: nn.Module, own: Split, start: Tensor) -> dict[str, Number]:
    size = BATCH.get(own.inputs.device.type, BATCH["cuda"])
    batches = list(zip(torch.split(own.inputs, size), torch.split(own.targets, size), strict=True))
    land = Landscape(model, nn.CrossEntropyLoss(), batches)
    found = measured(Subject(land, start, plan.rtol, setting.seed, plan.measures))
    if plan.own_measures:
        found |= _own(plan.own_measures, land, setting)
    return found


def _own(target: str, land: Landscape, setting: Setting) -> dict[str, Number]:
    """The user's own measures: numbers, or (number, half-width)."""
    measure = named(target)
    try:
        found = measure(land, setting)
        return {str(k): Number(*(map(float, v if isinstance(v, tuple) else (v,)))) for k, v in found.items()}
    except EgregiumError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{target} must return a dict of numbers, or of pairs (number, half-width): {described(error)}"
        ) from error


@lru_cache(maxsize=1)
def data(name: str, count: int) -> tuple[Split, Split]:
    """The first `count` training samples, and all for testing. Raises DataError where they cannot be had."""
    if name == "fashion-mnist":
        return fashion_mnist(count)
    if name == "digits":
        own, test = digits()
    elif ":" in name:
        own, test = (_split(part, name) for part in _pair(named(name)(), name))
    else:
        raise DataError(
            f"data must be digits, fashion-mnist, or file.py:name of a function that gives ((inputs, classes), "
            f"(inputs, classes)) for training and testing; got {name!r}."
        )
    if count > len(own):
        raise DataError(f"{name} has {len(own):,} training samples; the study asks for {count:,}.")
    return own.first(count), test


def _pair(found: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise DataError(f"{name} must return (training, testing), got {type(found).__name__}.")
    return found[0], found[1]


def _split(part: Any, name: str) -> Split:
    inputs, targets = (part.inputs, part.targets) if isinstance(part, Split) else part
    if not (isinstance(inputs, Tensor) and isinstance(targets, Tensor) and len(inputs) == len(targets)):
        raise DataError(f"{name} must return pairs of tensors, inputs (N, ...) and classes (N,).")
    return Split(inputs.float(), targets.long())


def class_count(own: Split, test: Split) -> int:
    """The classes are 0, 1, ... up to the largest in either part."""
    return int(max(own.targets.max(), test.targets.max())) + 1


def digest(data: Split) -> str:
    """Of inputs and classes, 16 hexadecimal digits."""
    made = sha256()
    for part in (data.inputs, data.targets):
        made.update(part.cpu().contiguous().numpy().tobytes())
    return made.hexdigest()[:16]


@lru_cache(maxsize=1)
def code() -> str:
    """The version of egregium, and a digest of the sources that trained and measured."""
    root, made = Path(egregium.__file__).parent, sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in ("cli", "explorer", "report", "viz", "claims"):
            made.update(path.read_bytes())
    return f"{egregium.__version__}+{made.hexdigest()[:12]}"
