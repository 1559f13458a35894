"""Studies as TOML files."""

from pathlib import Path

import pytest

from egregium.errors import ArgumentError
from egregium.study import plan_of, preset

SWEEP = '[[sweep]]\nname = "factorial"\nwidth = [4, 8]\n'


def test_the_presets_are_the_studies_that_were_promised() -> None:
    fashion, digits = preset("fashion"), preset("digits")
    assert len(fashion.settings) >= 150
    assert len(fashion.sweeps["factorial"]) == 2 * 2**5 * 2
    assert {"depth", "label noise"} < set(fashion.sweeps)
    assert (fashion.data, fashion.train, fashion.rtol) == ("fashion-mnist", 10_000, 0.05)
    assert {each.architecture for each in fashion.settings} == {"cnn", "mlp"}
    assert len(digits.settings) == 32
    with pytest.raises(ArgumentError, match="must be one of fashion, digits, tiny, got 'large'"):
        preset("large")


def test_a_network_of_two_sweeps_is_trained_once(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SWEEP + '[[sweep]]\nname = "width"\nwidth = [8, 16]\n')
    plan = plan_of(tmp_path / "s.toml")
    assert [each.width for each in plan.settings] == [4, 8, 16]
    assert set(plan.sweeps["factorial"]) & set(plan.sweeps["width"]) == {plan.settings[1].key}


def test_seeds_and_levels_are_combined_and_the_base_is_everywhere(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("seeds = [3, 4]\n[base]\ndepth = 1\n" + SWEEP + "batch_size = [2, 4]\n")
    plan = plan_of(tmp_path / "s.toml")
    assert len(plan.settings) == 8
    assert {each.depth for each in plan.settings} == {1}
    assert {each.seed for each in plan.settings} == {3, 4}


def test_a_plan_may_grow_and_its_file_stays_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SWEEP)
    (tmp_path / "b.toml").write_text(SWEEP.replace("[4, 8]", "[4, 8, 16]"))
    (tmp_path / "c.toml").write_text("loss = 0.2\n" + SWEEP)
    a, b, c = (plan_of(tmp_path / f"{name}.toml") for name in "abc")
    assert a.header == b.header != c.header
    assert len({a.digest, b.digest, c.digest}) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loss = [", "is not TOML"),
        ("los = 0.1\n" + SWEEP, "unknown 'los'"),
        ("loss = 0\n" + SWEEP, "loss must be positive"),
        ('loss = "small"\n' + SWEEP, "loss must be like 0.1, got 'small'"),
        ("train = true\n" + SWEEP, "train must be like 1000"),
        ("seeds = []\n" + SWEEP, "seeds must be whole numbers"),
        ("seeds = [0.5]\n" + SWEEP, "seeds must be whole numbers"),
        ('measures = ["sharpnes"]\n' + SWEEP, "there is no measure 'sharpnes'. There are scalar_curvature"),
        ("loss = 0.1\n", r"has no \[\[sweep\]\]"),
        ("[[sweep]]\nwidth = [1]\n", "needs a name"),
        (SWEEP + "learning_rate = []\n", "learning_rate of the sweep .* has no level"),
        ("base = 3\n" + SWEEP, r"\[base\] must be a table of hyper-parameters, got 3"),
        ('measures = [["trace"]]\n' + SWEEP, r"there is no measure \['trace'\]"),
        (SWEEP + "momentum = [0.9]\n", "There is no hyper-parameter 'momentum'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(ArgumentError, match=words):
        plan_of(tmp_path / "s.toml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="Cannot read"):
        plan_of(tmp_path / "none.toml")
    (tmp_path / "s.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ArgumentError, match="not a text file in UTF-8"):
        plan_of(tmp_path / "s.toml")
