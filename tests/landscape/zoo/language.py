"""Language models of `transformers` from tiny configurations, their attention left at its default."""

import copy
from collections import UserDict
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    BatchEncoding,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from zoo.row import CUTS, TOKENS, Row, ragged

WORDS = 5
SMALL: dict[str, Any] = {"vocab_size": WORDS, "initializer_range": 0.5}
NO_WORDS: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None}
BERT = BertConfig(
    hidden_size=2,
    num_hidden_layers=1,
    num_attention_heads=1,
    intermediate_size=3,
    max_position_embeddings=4,
    num_labels=3,
    **SMALL,
)
GPT2 = GPT2Config(n_positions=4, n_embd=2, n_layer=1, n_head=1, n_inner=3, **SMALL, **NO_WORDS)
LLAMA = LlamaConfig(
    hidden_size=4,
    intermediate_size=3,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=4,
    **SMALL,
    **NO_WORDS,
)
#: transformers' own losses and Llama's norms compute in float32, whatever the model's dtype.
SINGLE = 1e-5


def plain_attention(model: nn.Module) -> nn.Module:
    """The same model with attention written out."""
    config = copy.deepcopy(model.config)
    config._attn_implementation = "eager"
    other = type(model)(config).double()
    other.load_state_dict(model.state_dict())
    return other


MASK = torch.ones_like(TOKENS)
MASK[2:4, 3:] = 0
TARGETS = TOKENS.masked_fill(MASK == 0, -100)


def read(rows: slice) -> dict[str, Tensor]:
    return {"input_ids": TOKENS[rows], "attention_mask": MASK[rows]}


def encoded(rows: slice) -> BatchEncoding:
    """As a tokenizer returns it."""
    return BatchEncoding(read(rows))


def next_words(output: Any, target: Tensor) -> Tensor:
    """The loss of each next word, in the model's own dtype; a mean over samples, as all are of one length."""
    return F.cross_entropy(output.logits[:, :-1].reshape(-1, WORDS), target[:, 1:].reshape(-1))


def classified(output: Any, target: Tensor) -> Tensor:
    return F.cross_entropy(output.logits, target)


def own_loss(shift: int) -> Callable[[nn.Module, Any], tuple[Tensor, Any]]:
    """The model's own mean over the words that count, and their exact number."""

    def batch_loss(model: nn.Module, batch: Any) -> tuple[Tensor, Any]:
        number = (batch["labels"][:, shift:] != -100).sum()
        return model(**batch).loss * number, number

    return batch_loss


def labelled(kind: Callable[[dict[str, Tensor]], Any]) -> list[Any]:
    return [kind({**read(rows), "labels": TARGETS[rows]}) for rows in CUTS]


ROWS = {
    "GPT-2": Row(lambda: GPT2LMHeadModel(GPT2), ragged(TOKENS, TOKENS), next_words, twin=plain_attention),
    "GPT-2, its own loss": Row(
        lambda: GPT2LMHeadModel(GPT2), labelled(dict), batch_loss=own_loss(1), twin=plain_attention, rtol=SINGLE
    ),
    "Llama": Row(lambda: LlamaForCausalLM(LLAMA), ragged(TOKENS, TOKENS), next_words, rtol=SINGLE),
    "Llama, its own loss, a UserDict": Row(
        lambda: LlamaForCausalLM(LLAMA), labelled(UserDict), batch_loss=own_loss(1), rtol=SINGLE
    ),
    "BERT": Row(
        lambda: BertForSequenceClassification(copy.deepcopy(BERT)), ragged(encoded), classified, twin=plain_attention
    ),
    "BERT, its own loss, a BatchEncoding": Row(
        lambda: BertForMaskedLM(BERT), labelled(BatchEncoding), batch_loss=own_loss(0), twin=plain_attention
    ),
}
