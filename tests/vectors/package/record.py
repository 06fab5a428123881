"""Writes the vectors of this folder: a model package (`tiny`), and what PyTorch says of it (`expected.json`).

    python tests/vectors/package/record.py

A two-block GPT-2 of 128 tokens that starts at random, of which a miner may train the last block. `loss` is PyTorch's
mean loss of `pages`, `update` what ten steps of AdamW on them take off the trained parameters (float32, base64), and
`loss_after` the loss once it is applied. Needs what `pip install 'vram-sidecar[export]'` brings; the bits depend on
PyTorch's version, the checks of the test do not.
"""

import base64
import json
import os
import shutil
import sys
from random import Random

import torch
from transformers import AutoModelForCausalLM, GPT2Config

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../miner/sidecar"))

from vram_sidecar.export import export, reference  # noqa: E402
from vram_sidecar.trainable import Subset  # noqa: E402

CONTEXT, BATCH, TRAINABLE = 64, 4, "last:1"
WORDS = "the whale and a sea of white men saw ship in boat old captain said to".split()


def pages_of(count, seed):
    """Runs of tokens, one a byte, of words in any order."""
    random = Random(seed)
    line = lambda: " ".join(random.choice(WORDS) for _ in range(CONTEXT))
    return torch.tensor([list(line()[: CONTEXT + 1].encode()) for _ in range(count)])


def steps(net, parameters, pages, count, lr):
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0)
    for _ in range(count):
        optimizer.zero_grad()
        loss = reference(net, pages[:, :-1], pages[:, 1:].contiguous()).mean()
        loss.backward()
        optimizer.step()


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = GPT2Config(
        vocab_size=128, n_layer=2, n_embd=8, n_head=2, n_positions=CONTEXT, bos_token_id=None, eos_token_id=None,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )
    net = AutoModelForCausalLM.from_config(config).float()
    pages = pages_of(BATCH, 2)
    out = os.path.join(HERE, "tiny")
    shutil.rmtree(out, ignore_errors=True)
    hash, apart = export(net, "tiny GPT-2 of record.py", out, TRAINABLE, CONTEXT, BATCH)
    print(f"{hash}, losses within {apart:.1e} of PyTorch's")
    loss = lambda: reference(net, pages[:, :-1], pages[:, 1:].contiguous()).double().mean().item()
    with torch.no_grad():
        before = loss()
    subset = Subset(net, TRAINABLE)
    names = subset.trainable
    start = torch.cat([subset.tensors[n].flatten() for n in names]).clone()
    named = dict(net.named_parameters())
    steps(net, [named[net.base_model_prefix + "." + n] for n in names], pages, 10, 3e-3)
    update = start - torch.cat([subset.tensors[n].flatten() for n in names])
    with torch.no_grad():
        after = loss()
    expected = {
        "loss": before,
        "loss_after": after,
        "update": base64.b64encode(update.numpy().astype("<f4").tobytes()).decode(),
        "pages": pages.tolist(),
    }
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        file.write(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
