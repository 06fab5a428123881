"""The work of `deno task bench` in eager PyTorch, on the CPU: one part a call.

Usage: pytorch.py PART, with PART one of loss, train, topk. Prints one line of JSON: the versions, the number of
threads, and figures whose names are those of the bench: medians in milliseconds, peak resident memory in MiB.
"""

import json
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

LAYERS, DIMS, HEADS, CONTEXT, BATCH, VOCAB = 6, 384, 6, 256, 4, 100_277
PARAMETERS = 49_252_224


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(DIMS)
        self.c_attn = nn.Linear(DIMS, 3 * DIMS)
        self.c_proj = nn.Linear(DIMS, DIMS)
        self.ln_2 = nn.LayerNorm(DIMS)
        self.c_fc = nn.Linear(DIMS, 4 * DIMS)
        self.mlp_proj = nn.Linear(4 * DIMS, DIMS)

    def forward(self, x):
        heads = (BATCH, CONTEXT, HEADS, DIMS // HEADS)
        q, k, v = (part.view(heads).transpose(1, 2) for part in self.c_attn(self.ln_1(x)).split(DIMS, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).reshape(BATCH, CONTEXT, DIMS))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    """nano-GPT with a tied head: the loss of every position."""

    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(VOCAB, DIMS)
        self.wpe = nn.Embedding(CONTEXT, DIMS)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(DIMS)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.wte(tokens) + self.wpe(torch.arange(CONTEXT))
        for block in self.blocks:
            x = block(x)
        logits = self.ln_f(x) @ self.wte.weight.T
        return F.cross_entropy(logits.view(-1, VOCAB), targets.view(-1), reduction="none")


def median_ms(work, runs, warmup):
    times = []
    for run in range(-warmup, runs):
        started = time.perf_counter()
        work()
        if run >= 0:
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def peak(name):
    """Where the bench measures its own: Linux, whose unit is the KiB."""
    if sys.platform != "linux":
        return {}
    return {f"peak memory, {name}": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def model_and_data():
    torch.manual_seed(1)
    model = Gpt()
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == PARAMETERS, f"{count} parameters are not those of nano-gpt"
    return model, torch.randint(VOCAB, (BATCH, CONTEXT)), torch.randint(VOCAB, (BATCH, CONTEXT))


def loss():
    model, tokens, targets = model_and_data()
    with torch.no_grad():
        figures = {"loss evaluation, nano-gpt": median_ms(lambda: model(tokens, targets).double().sum().item(), 9, 2)}
    return {**figures, **peak("loss evaluation")}


def train():
    model, tokens, targets = model_and_data()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1)

    def step():
        optimizer.zero_grad()
        model(tokens, targets).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    figures = {"training step, nano-gpt": median_ms(step, 7, 2)}
    return {**figures, **peak("training")}


def topk():
    torch.manual_seed(1)
    values = (torch.rand(PARAMETERS) - 0.5) ** 5
    figures = {}
    for size, n in (("10 M", 10_000_000), ("49 M", PARAMETERS)):
        part = values[:n]

        def select():
            indices = torch.topk(part.abs(), n // 100, sorted=False).indices.sort().values
            return indices, part[indices]

        figures[f"top 1 % of {size}"] = median_ms(select, 5, 1)
    return figures


if __name__ == "__main__":
    part = {"loss": loss, "train": train, "topk": topk}[sys.argv[1]]
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "figures": part()}))
