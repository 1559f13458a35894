"""The bound on memory: held, predicted, said, and refused with what would fit. Nothing grows over many calls."""

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

import egregium as eg
from egregium.errors import ArgumentError, BudgetError, OutOfMemoryError
from egregium.measurement import memory
from egregium.measurement.memory import COLUMN, FIXED, PLANNED, free_bytes, room_for, size_in_bytes
from egregium.operators import Dense

ROOT = Path(__file__).parents[2]


def resident(*arguments: Any) -> dict[str, Any]:
    """What `python -m bench.resident` prints."""
    command = [sys.executable, "-m", "bench.resident", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("case", "allowed"),
    [
        pytest.param(("mlp", 700, 3, 4, 2, "scalar_curvature"), 160, id="R, vectors"),
        pytest.param(("mlp", 700, 3, 4, 2, "measure"), 160, id="measure, vectors"),
        pytest.param(("mlp", 700, 3, 4, 2, "spectral_density"), 160, id="density"),
        pytest.param(("mlp", 256, 2, 8_000, 2, "trace"), 150, id="trace, activations"),
        pytest.param(("lstm", 32, 60, 64, 2, "scalar_curvature"), 50, id="R, many small tensors"),
        pytest.param(("mlp", 32, 40, 200, 2, "scalar_curvature"), 15, id="R, many layers"),
    ],
)
def test_the_bound_is_kept_within_ten_percent(case: tuple[Any, ...], allowed: int) -> None:
    """Maximal resident set of a fresh process; unbounded, most of these take more."""
    found = resident(*case, allowed * 10**6)
    assert found["taken"] <= 1.1 * allowed * 10**6
    if found["said"]:
        assert found["said"][0].startswith("needs at most ")


def test_without_the_bound_more_is_taken() -> None:
    """So the test above can fail."""
    assert resident("mlp", 700, 3, 4, 2, "scalar_curvature")["taken"] > 1.5 * 160 * 10**6


@pytest.mark.slow
def test_25_million_parameters_within_24_vectors() -> None:
    """R with an interval; one gradient of 4 samples has 0.1 MB of activations."""
    found = resident("mlp", 5000, 1, 4, 1, "scalar_curvature", 24 * 4 * 25_055_010)
    assert found["n"] == 25_055_010
    assert found["taken"] <= 24 * 4 * found["n"]
    assert found["products"] >= 3


def test_nothing_grows_over_200_calls() -> None:
    """After 20 calls to warm up, 200 more add less than 8 MiB; one kept vector a call would add 30."""
    model = nn.Sequential(nn.Linear(190, 190), nn.Tanh(), nn.Linear(190, 2))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(5, 190), torch.randint(0, 2, (5,))))
    process, before = psutil.Process(), 0
    for call in range(220):
        if call == 20:
            gc.collect()
            before = process.memory_info().rss
        eg.scalar_curvature(land, method="stochastic", rtol=0.5, budget=40, seed=call)
    gc.collect()
    assert process.memory_info().rss - before < 8 * 2**20


@pytest.mark.parametrize("call", ["gradient", "product", "ggn", "trace", "R"])
def test_no_pass_leaves_tensors_to_the_garbage_collector(call: str) -> None:
    """A batch in a reference cycle lives on until the collector happens to run: several stood in memory at once."""
    net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))
    land = eg.Landscape(net, nn.CrossEntropyLoss(), [(torch.randn(9, 12), torch.randint(0, 3, (9,)))] * 2)
    calls = {
        "gradient": land.gradient,
        "product": lambda: eg.hessian(land) @ torch.randn(land.n, 2),
        "ggn": lambda: eg.ggn(land) @ torch.randn(land.n, 2),
        "trace": lambda: eg.trace(land, method="stochastic"),
        "R": lambda: eg.scalar_curvature(land, method="stochastic", rtol=0.3),
    }
    calls[call]()  # what is kept from the first call on is kept for good
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        calls[call]()
        gc.collect()
        left = [o for o in gc.garbage if isinstance(o, torch.Tensor)]
    finally:
        gc.set_debug(0)
        gc.enable()
        gc.garbage.clear()
    assert not left


def test_less_memory_first_halves_the_block_then_the_sketch() -> None:
    op = Dense(torch.eye(1000))  # vectors of 4,000 bytes, no graph
    rooms = [room_for(op, int(vectors * 4000 / PLANNED) + 1, 16) for vectors in (1e6, 200, 60, FIXED + COLUMN)]
    assert [room.block for room in rooms] == [16, 16, 4, 1]
    assert [room.vectors for room in rooms] == [1e6 - FIXED - 80, 200 - FIXED - 80, 60 - FIXED - 20, 0]


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    model = nn.Sequential(nn.Linear(400, 400), nn.Tanh(), nn.Linear(400, 3))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (torch.randn(8, 400), torch.randint(0, 3, (8,))))
    for call in (eg.scalar_curvature, eg.measure, eg.trace, eg.eigenpairs, eg.spectral_density):
        with pytest.raises(
            OutOfMemoryError, match=r"needs 1\d\.\d MiB at least: .* memory= allows 1\.0 MiB\. Allow more"
        ):
            call(land, memory="1MiB")
    assert eg.scalar_curvature(land, memory="16MiB", rtol=0.5, budget=200).samples.shape[0] >= 3


def test_eigenpairs_that_do_not_fit() -> None:
    A = torch.diag(torch.arange(1000.0))
    with pytest.raises(
        OutOfMemoryError, match=r"400 eigenpairs of n = 1,000 need \d+ vectors .* leaves \d+\. Ask for fewer"
    ):
        eg.eigenpairs(A, 400, memory=400_000)


def test_a_small_sketch_gives_another_honest_interval() -> None:
    model = nn.Sequential(nn.Linear(60, 60), nn.Tanh(), nn.Linear(60, 3)).double()
    x, y = torch.randn(40, 60, dtype=torch.float64), torch.randint(0, 3, (40,))
    land = eg.Landscape(model, nn.CrossEntropyLoss(), (x, y))
    truth = eg.scalar_curvature(land, method="exact").value
    for memory_, words in ((None, "deflating sketch and"), ("2MiB", "deflating sketch of at most")):
        e = eg.scalar_curvature(land, method="stochastic", rtol=0.2, seed=3, memory=memory_)
        assert e.method.startswith(words)
        assert e.converged
        assert abs(e.value - truth) < 2 * e.half_width()  # 4 standard errors


@pytest.mark.parametrize("given", ["4 GB", "1.5GiB", "17", 17, "2kB", "3 MiB", "10 TB"])
def test_sizes_are_read(given: Any) -> None:
    known = {"4 GB": 4 * 10**9, "1.5GiB": 3 * 2**29, "2kB": 2000, "3 MiB": 3 * 2**20, "10 TB": 10**13}
    assert size_in_bytes(given) == known.get(given, 17)


@pytest.mark.parametrize("given", ["much", "-1GiB", "1 XB", 0, -5, True, 1.5, "", "nan"])
def test_what_is_no_size_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError, match='memory must be a number of bytes or a size such as "4GiB"'):
        eg.trace(torch.eye(3), memory=given)


@pytest.mark.parametrize("block", [0, -1, 2.5, True, "4"])
def test_what_is_no_block_is_refused(block: Any) -> None:
    with pytest.raises(ArgumentError, match="block must be a positive number of vectors"):
        room_for(Dense(torch.eye(3)), None, block)


def test_by_default_half_of_what_is_free_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    op = Dense(torch.eye(1000))
    monkeypatch.setattr(memory, "free_bytes", lambda device: 2 * int(200 * 4000 / PLANNED) + 2)
    assert room_for(op, None, 16).vectors == 200 - FIXED - 80
    assert 0 < free_bytes(torch.device("cpu")) <= psutil.virtual_memory().total


def test_what_it_needs_is_said_first_and_the_caller_may_decline() -> None:
    told: list[str] = []
    eg.trace(torch.eye(100), progress=lambda report: told.append(report.phase))
    assert told[0] == "needs at most 82.0 KiB of memory"  # (9 + 5 * 16 + 100) vectors of 400 bytes / 0.9
    with pytest.raises(BudgetError, match="Stopped by the caller"):
        eg.trace(torch.eye(100), progress=lambda report: False)
