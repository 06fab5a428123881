"""Rows for requests that bring no pages of their own: the seed's dialect names only a miner and a window."""

import hashlib
import json
import random
import struct
import urllib.request

from .loss import IGNORED
from .refused import Refused

MAX_DATASET = 4 << 30


def rng_of(uid, window):
    """The draw of (uid, window): SHA-256 over both as u64le."""
    return random.Random(int.from_bytes(hashlib.sha256(struct.pack("<QQ", uid, window)).digest(), "little"))


def text_of(row, tokenizer):
    """The text of one row: `text`, or messages, or instruction, input and output, as the chat template has them."""
    if "text" in row:
        return row["text"]
    if "messages" in row and getattr(tokenizer, "chat_template", None):
        return tokenizer.apply_chat_template(row["messages"], tokenize=False)
    if "messages" in row:
        return "\n\n".join(turn["content"] for turn in row["messages"])
    if not row.get("instruction"):
        raise Refused("bad_row", "A row has no text, messages, tokens or instruction", 422)
    asked = "\n\n".join(part for part in (row.get("instruction"), row.get("input")) if part)
    answer = row.get("output", "")
    if getattr(tokenizer, "chat_template", None):
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        return tokenizer.apply_chat_template(turns, tokenize=False)
    return f"### Instruction\n{asked}\n\n### Response\n{answer}"


class Data:
    """The dataset of `--dataset`. What cannot be read is an error: nothing else ever stands in for it."""

    def __init__(self, args, model, hook):
        self.args, self.model, self.hook = args, model, hook
        self.spec = args.dataset
        self.tokenizer = None
        self.rows = None
        if self.spec is None:
            return
        if hasattr(hook, "rows"):
            self.rows = self._checked(list(hook.rows(self.spec)))
        elif self.spec != "fineweb":
            text = self._read(self.spec).decode("utf-8")
            if self.spec.endswith((".jsonl", ".json")) or text.lstrip().startswith("{"):
                lines = enumerate(text.splitlines(), 1)
                self.rows = self._checked([self._parsed(i, line) for i, line in lines if line.strip()])
            else:
                self.rows = self._checked([{"text": part} for part in text.split("\n\n") if part.strip()])
        if self.rows is None or any("tokens" not in row for row in self.rows):
            from transformers import AutoTokenizer

            try:
                self.tokenizer = AutoTokenizer.from_pretrained(model.source)
            except (OSError, ValueError, KeyError) as error:
                if not hasattr(hook, "encode"):
                    raise Refused("no_tokenizer", f"{model.source} has no tokenizer, and rows of {self.spec} have no "
                                                  "tokens: give them tokens, or a --hook with encode") from error

    def _checked(self, rows):
        if not rows or any(not isinstance(row, dict) for row in rows):
            raise Refused("bad_dataset", f"Cannot use {self.spec}: it has no rows, or one that is no object")
        return rows

    def _parsed(self, number, line):
        try:
            return json.loads(line)
        except ValueError as error:
            raise Refused("bad_dataset", f"Cannot use {self.spec}: line {number} is not JSON") from error

    @staticmethod
    def _read(spec):
        if spec.startswith(("http://", "https://")):
            with urllib.request.urlopen(spec, timeout=60) as reply:
                data = reply.read(MAX_DATASET + 1)
        else:
            with open(spec, "rb") as file:
                data = file.read(MAX_DATASET + 1)
        if len(data) > MAX_DATASET:
            raise Refused("bad_dataset", f"Cannot use {spec}: it is larger than {MAX_DATASET} bytes")
        return data

    def batch(self, uid, window):
        """`--batch` rows for that miner and window, always the same."""
        if self.spec is None:
            raise Refused("no_dataset", "Started without --dataset: hand pages over, or name one", 409)
        rng = rng_of(uid, window)
        if self.rows is None:
            rows = self._fineweb(rng.randrange(100_000))
        else:
            count = min(self.args.batch, len(self.rows))
            rows = [self.rows[i] for i in rng.sample(range(len(self.rows)), count)]
        return [self._encode(row) for row in rows]

    def _fineweb(self, offset):
        try:
            from datasets import load_dataset

            stream = load_dataset("HuggingFaceFW/fineweb-edu", name="sample-10BT", split="train", streaming=True)
            return list(stream.skip(offset).take(self.args.batch))
        except Exception as error:
            raise Refused("data_unavailable", f"Cannot read FineWeb-edu: {error}", 503) from error

    def _encode(self, row):
        """(tokens, targets): of the hook, of a row that has tokens already, or of its text. Rows are not padded."""
        length = self.args.seqlen + 1
        if hasattr(self.hook, "encode"):
            tokens, targets = self.hook.encode(row, self.tokenizer, self.args.seqlen)
        elif "tokens" in row:
            tokens, targets = row["tokens"][:length], None
        else:
            tokens, targets = self.tokenizer(text_of(row, self.tokenizer))["input_ids"][:length], None
        tokens, targets = list(tokens), None if targets is None else list(targets)
        if len(tokens) < 2 or any(not 0 <= token < self.model.vocab for token in tokens):
            raise Refused("bad_row", "A row has fewer than two tokens, or one outside the vocabulary", 422)
        if self.model.positions is not None and len(tokens) - 1 > self.model.positions:
            raise Refused("bad_row", f"A row predicts {len(tokens) - 1} tokens, the model {self.model.positions}", 422)
        vocab = self.model.vocab
        if targets is not None and (
            len(targets) != len(tokens) or any(t != IGNORED and not 0 <= t < vocab for t in targets[1:])
        ):
            raise Refused("bad_row", "A row has not as many targets as tokens, or one outside the vocabulary", 422)
        return tokens, targets
