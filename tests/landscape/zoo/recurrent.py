"""Recurrent layers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from zoo.row import SEQUENCES, Row, ragged

LENGTHS = torch.tensor([2, 4, 1, 3, 4])


class Last(nn.Module):
    """The last hidden state of a recurrent layer, or of both directions of its last layer."""

    def __init__(self, kind: type[nn.RNNBase], size: int = 2, **options: Any) -> None:
        super().__init__()
        self.cell = kind(3, size, batch_first=True, **options)
        self.directions = 2 if self.cell.bidirectional else 1
        self.head = nn.Linear(self.directions * (self.cell.proj_size or size), 3)

    def forward(self, x: Tensor | PackedSequence) -> Tensor:
        state = self.cell(x)[1]
        hidden = state[0] if isinstance(state, tuple) else state
        return self.head(hidden[-self.directions :].transpose(0, 1).flatten(1))


class Cells(nn.Module):
    """A cell, step by step."""

    def __init__(self, kind: type[nn.RNNCellBase]) -> None:
        super().__init__()
        self.cell = kind(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state[0] if isinstance(state, tuple) else state


def packed(rows: slice) -> PackedSequence:
    return pack_padded_sequence(SEQUENCES[rows], LENGTHS[rows], batch_first=True, enforce_sorted=False)


KINDS = (nn.RNN, nn.GRU, nn.LSTM)
DEEP: dict[str, Any] = {"num_layers": 2, "bidirectional": True, "dropout": 0.5}
ROWS = {
    **{kind.__name__: Row(lambda kind=kind: Last(kind), ragged(SEQUENCES)) for kind in KINDS},
    **{
        f"{kind.__name__}, bidirectional, two layers": Row(lambda kind=kind: Last(kind, 1, **DEEP), ragged(SEQUENCES))
        for kind in KINDS
    },
    **{f"{kind.__name__}, packed": Row(lambda kind=kind: Last(kind), ragged(packed)) for kind in KINDS},
    "LSTM, projected": Row(lambda: Last(nn.LSTM, proj_size=1), ragged(SEQUENCES)),
    **{
        kind.__name__: Row(lambda kind=kind: Cells(kind), ragged(SEQUENCES))
        for kind in (nn.RNNCell, nn.GRUCell, nn.LSTMCell)
    },
}
