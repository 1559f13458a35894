"""A built wheel, installed in an empty environment with the constraints, gives a working command."""

import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
MINE = """
import torch, egregium as eg
def sphere():
    f = lambda x: -torch.sqrt(4 - x @ x)
    return eg.Landscape.from_function(f, torch.tensor([0.5, 0.3, 0.1], dtype=torch.float64))
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_gives_a_working_command(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT), cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as content:
        packed = {name.removeprefix("egregium/report/") for name in content.namelist()}
    vendored = {"vendor/plotly-gl3d.min.js", "vendor/plotly.LICENSE", "vendor/README.md"}
    assert vendored | {"page.js", "surfaces.js"} <= packed
    venv.create(tmp_path / "env", with_pip=True)
    bin_folder = tmp_path / "env" / "bin"
    pip = (str(bin_folder / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    run(*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel), cwd=tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    table = run(str(bin_folder / "egregium"), "measure", "mine.py:sphere", "--out", "out", cwd=tmp_path)
    assert "1.5 (exact)" in table  # n (n - 1) / r^2
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
