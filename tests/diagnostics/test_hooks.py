"""The user's hooks are watched and can be switched off; afterwards they are as they were."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egregium.diagnostics.hooks import hooks_watched
from egregium.diagnostics.watch import Switches, Watch


def looks(module: nn.Module, args: Any, output: Tensor) -> None:
    output.sum()


def gives(module: nn.Module, args: Any, output: Tensor) -> Tensor:
    return output + 1


def overwrites(module: nn.Module, args: Any, output: Tensor) -> None:
    output.mul_(2)


def takes(module: nn.Module, args: Any, kwargs: Any) -> Any:
    return (args[0] * 3,), kwargs


def writes(module: nn.Module, args: Any, output: Tensor) -> None:
    with torch.no_grad():
        module.bias.add_(1)


def writes_data(module: nn.Module, args: Any, output: Tensor) -> None:
    module.weight.data.mul_(2)


def model_with(*hooks: Any) -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 2), nn.utils.spectral_norm(nn.Linear(2, 2)))
    for hook in hooks:
        if hook is takes:
            model[0].register_forward_pre_hook(hook, with_kwargs=True)
        else:
            model[0].register_forward_hook(hook)
    return model


@pytest.mark.parametrize(
    ("hook", "changes", "writing"),
    [
        (looks, False, False),
        (gives, True, False),
        (overwrites, True, False),
        (takes, True, False),
        (writes, False, True),
        (writes_data, False, True),
    ],
)
def test_what_a_hook_does_is_seen(hook: Any, changes: bool, writing: bool, untouched: Any) -> None:
    model = model_with(hook)
    with torch.no_grad(), hooks_watched(model, Watch(), list(model.parameters())) as hooks:
        model(torch.ones(3, 2))
    (seen,) = hooks.found.values()  # not spectral_norm's, which is torch's
    assert (seen.changes, seen.writes) == (changes, writing)
    assert seen.what == f"{hook.__name__} on 0 (Linear)"
    assert seen.where.endswith(f"test_hooks.py:{hook.__code__.co_firstlineno}")


def test_a_hook_that_is_off_does_nothing() -> None:
    model = model_with(gives, looks).eval()
    plain = model_with().eval()
    plain.load_state_dict(model.state_dict())
    with hooks_watched(model, Watch(), []) as hooks:
        name = next(hook.name for hook in hooks.found.values() if hook.function is gives)
    with hooks_watched(model, Watch(switches=Switches(hooks_off=frozenset({name}))), []):
        assert torch.equal(model(torch.ones(3, 2)), plain(torch.ones(3, 2)))
    assert not torch.equal(model(torch.ones(3, 2)), plain(torch.ones(3, 2)))


def test_all_hooks_are_put_back_in_their_order(untouched: Any) -> None:
    model = model_with(looks, gives, takes)
    before = [list(module._forward_hooks.items()) for module in model.modules()]
    with untouched(model), pytest.raises(ZeroDivisionError), hooks_watched(model, Watch(), []):
        raise ZeroDivisionError
    assert [list(module._forward_hooks.items()) for module in model.modules()] == before


def test_a_call_inside_a_hook_carries_its_name() -> None:
    model, watch = model_with(gives), Watch()
    with hooks_watched(model, watch, []) as hooks, watch.within("model"):
        model(torch.ones(3, 2))
    (hook,) = hooks.found
    assert [site.function for site, _ in watch.calls if site.hook == hook] == ["add"]
