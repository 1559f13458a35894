"""Checkpoints: every safe form loads, every misfit is named, nothing is half-loaded, no code runs."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from egregium.cli.checkpoint import load_checkpoint, read_state
from egregium.errors import CheckpointError


def network(seed: int, width: int = 4) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 2))


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("form", ["safetensors", "pt", "nested"])
def test_forms_and_prefixes(form: str, prefix: str, tmp_path: Path) -> None:
    source, target = network(0), network(1)
    state = {prefix + name: tensor for name, tensor in source.state_dict().items()}
    path = tmp_path / ("c.safetensors" if form == "safetensors" else "c.pt")
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save({"epoch": 3, "state_dict": state} if form == "nested" else state, path)
    load_checkpoint(target, path)
    assert same(source, target)


def test_tied_weights_that_are_kept_once(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight

    source, target = Tied(), Tied()
    save_file({"a.weight": source.a.weight.detach()}, tmp_path / "c.safetensors")
    load_checkpoint(target, tmp_path / "c.safetensors")
    assert torch.equal(target.b.weight, source.a.weight)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("0.weight"), r"1 missing: 0\.weight"),
        (lambda s: s.update(extra=torch.ones(1)), "1 unexpected: extra"),
        (lambda s: s.update({"2.bias": torch.ones(7)}), r"1 of another shape: 2\.bias \(7,\) for \(2,\)"),
    ],
)
def test_a_misfit_names_its_keys_and_changes_nothing(change: object, words: str, tmp_path: Path) -> None:
    target, untouched = network(1), network(1)
    state = dict(network(0).state_dict())
    change(state)  # type: ignore[operator]
    torch.save(state, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(target, tmp_path / "c.pt")
    assert same(target, untouched)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("open('exploded', 'w').write('x')",)


@pytest.mark.parametrize("write", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_pickle_that_runs_code_is_refused(write: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write({"a": Bomb()}, tmp_path / "c.pt")  # type: ignore[operator]
    with pytest.raises(CheckpointError, match=r"refused|cannot be read"):
        read_state(tmp_path / "c.pt")
    assert not (tmp_path / "exploded").exists()


def test_a_whole_model_is_refused(tmp_path: Path) -> None:
    torch.save(network(0), tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="Save model"):
        read_state(tmp_path / "c.pt")


@pytest.mark.parametrize("name", ["c.safetensors", "c.pt"])
def test_damaged_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    (save_file if name.endswith("safetensors") else torch.save)(network(0).state_dict(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"c\.(safetensors|pt)"):
        read_state(path)


@pytest.mark.parametrize("content", [{"epoch": 1}, [1, 2], {}])
def test_no_tensors(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="no tensors"):
        read_state(tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        read_state(tmp_path / "none.pt")
