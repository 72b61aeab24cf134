"""Small random encoders as transformers saves them, with tokenizers trained on the spot."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PretrainedConfig, PreTrainedModel

VOCABULARY = 300
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_TEXTS = [
    "text Sid Ana Bo Cleo Dov that i am at the harbour station museum bakery",
    "library castle bridge market airport chapel: where is it?",
    "weather, please open the report on my way 0123456789",
]


def save_bert(folder: Path) -> Path:
    """A BERT with wordpieces."""
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=64, initializer_range=0.2,
    )  # fmt: skip
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=_SPECIAL)
    return _save(folder, config, transformers.BertModel, tokenizer, trainer)


def save_deberta(folder: Path) -> Path:
    """A DeBERTa of the third version's kind: relative places in buckets, a unigram tokenizer."""
    config = transformers.DebertaV2Config(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=64, initializer_range=0.2, relative_attention=True,
        position_buckets=8, pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm",
        position_biased_input=False, max_relative_positions=-1, type_vocab_size=0,
    )  # fmt: skip
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=_SPECIAL, unk_token="[UNK]", show_progress=False
    )
    return _save(folder, config, transformers.DebertaV2Model, tokenizer, trainer)


def _save(
    folder: Path,
    config: PretrainedConfig,
    kind: type[PreTrainedModel],
    tokenizer: Tokenizer,
    trainer: trainers.Trainer,
) -> Path:
    torch.manual_seed(5)
    kind(config).save_pretrained(folder)
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # Published tokenizers have padding and truncation baked in.
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(64)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
