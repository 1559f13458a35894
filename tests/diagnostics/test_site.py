"""The user's line, not torch's and not ours."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from egregium.diagnostics.site import CODE, Site, defined, shown
from egregium.diagnostics.watch import Watch


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(x) + F.dropout(x, 0.5, training=True)  # here


HERE = next(n for n, line in enumerate(Path(__file__).read_text().splitlines(), 1) if "# here" in line)


def test_the_line_and_the_innermost_module() -> None:
    model = nn.Sequential(Block())
    watch = Watch(names={id(module): name for name, module in model.named_modules()})
    with watch.within("model"):
        model(torch.ones(3, 2))
    inner, outer = watch.draws.values()
    assert {(site.file, site.line, site.function) for site in (inner, outer)} == {(__file__, HERE, "dropout")}
    assert (inner.module, inner.owner, inner.training) == ("0.drop", "Dropout", True)
    assert (outer.module, outer.owner) == ("0", "Block")
    assert str(inner).endswith(f"test_site.py:{HERE}: return self.drop(x) + F.dropout(x, 0.5, training=True) # here")


def test_one_line_in_many_layers_is_one_place() -> None:
    a = Site("dropout", "model", "x.py", 3, "block.0")
    assert a.place == Site("dropout", "model", "x.py", 3, "block.1").place
    assert a.place != Site("dropout", "model", "x.py", 4, "block.0").place
    assert Site("dropout", "model", module="a").place != Site("dropout", "model", module="b").place


def test_what_is_shown() -> None:
    assert shown(str(Path.cwd() / "a" / "b.py")) == str(Path("a/b.py"))
    assert shown("/nowhere/b.py") == "/nowhere/b.py"
    assert str(Site("randn", "loss")) == ""
    assert len(str(Site("randn", "loss", __file__, HERE))) < CODE + len(__file__) + 10
    assert defined(shown).endswith(f"site.py:{shown.__code__.co_firstlineno}")
    assert defined(torch.relu) == ""
