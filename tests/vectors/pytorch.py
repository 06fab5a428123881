"""PyTorch's loss and gradient of the tiny preset on fixed weights and pages, to hold the training graph against.

Usage: pytorch.py            prints pytorch.json: up to 256 evenly spaced entries of every parameter's gradient
       pytorch.py --all FILE writes every entry, float32 little-endian in the manifest's order, and prints the loss

The model is written down here once more, with PyTorch's own operations, and shares nothing with the graph's code.
"""

import json
import sys

import numpy as np
import torch
from torch.nn import functional as F

VOCAB, LAYERS, DIMS, HEADS, CONTEXT, BATCH = 256, 2, 64, 2, 64, 4
ENTRIES = 256
PAGES_FROM = 1_000_000


def noise(numbers):
    """MurmurHash3's finaliser, as 32-bit integers."""
    h = numbers.astype(np.uint32)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def shapes():
    c = DIMS
    found = {"wte.weight": (VOCAB, c), "wpe.weight": (CONTEXT, c), "ln_f.weight": (c,), "ln_f.bias": (c,)}
    for i in range(LAYERS):
        for name, shape in {
            "ln_1.weight": (c,), "ln_1.bias": (c,), "ln_2.weight": (c,), "ln_2.bias": (c,),
            "attn.c_attn.weight": (c, 3 * c), "attn.c_attn.bias": (3 * c,),
            "attn.c_proj.weight": (c, c), "attn.c_proj.bias": (c,),
            "mlp.c_fc.weight": (c, 4 * c), "mlp.c_fc.bias": (4 * c,),
            "mlp.c_proj.weight": (4 * c, c), "mlp.c_proj.bias": (c,),
        }.items():
            found[f"h.{i}.{name}"] = shape
    return dict(sorted(found.items()))


def weights():
    """Entry k of all is u = noise(k + 1) / 2^32 - 1/2, times 0.16 in a matrix, 0.2 and plus 1 in a norm's gain, 0.1."""
    made, at = {}, 0
    for name, shape in shapes().items():
        size = int(np.prod(shape))
        u = noise(np.arange(at + 1, at + 1 + size, dtype=np.uint64)) / 2.0**32 - 0.5
        values = 0.16 * u if len(shape) == 2 else 1 + 0.2 * u if name.endswith(".weight") else 0.1 * u
        made[name] = torch.tensor(values.astype(np.float32).reshape(shape), requires_grad=True)
        at += size
    return made


def loss_of(p):
    numbers = np.arange(PAGES_FROM, PAGES_FROM + BATCH * (CONTEXT + 1), dtype=np.uint64)
    pages = torch.tensor((noise(numbers) % VOCAB).astype(np.int64)).view(BATCH, CONTEXT + 1)
    tokens, targets = pages[:, :-1], pages[:, 1:]

    def norm(x, at):
        return F.layer_norm(x, (DIMS,), p[f"{at}.weight"], p[f"{at}.bias"])

    def dense(x, at):
        return x @ p[f"{at}.weight"] + p[f"{at}.bias"]

    x = F.embedding(tokens, p["wte.weight"]) + p["wpe.weight"]
    for i in range(LAYERS):
        q, k, v = (
            part.view(BATCH, CONTEXT, HEADS, DIMS // HEADS).transpose(1, 2)
            for part in dense(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(DIMS, 2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + dense(mixed.reshape(BATCH, CONTEXT, DIMS), f"h.{i}.attn.c_proj")
        x = x + dense(F.gelu(dense(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")), f"h.{i}.mlp.c_proj")
    logits = norm(x, "ln_f") @ p["wte.weight"].T
    return F.cross_entropy(logits.reshape(-1, VOCAB), targets.reshape(-1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    parameters = weights()
    loss = loss_of(parameters)
    loss.backward()
    flat = {name: p.grad.numpy().astype("<f4").reshape(-1) for name, p in parameters.items()}
    if sys.argv[1:2] == ["--all"]:
        np.concatenate(list(flat.values())).tofile(sys.argv[2])
        print(loss.item())
    else:
        about = __doc__.split("\n")[0]
        gradient = {}
        for name, values in flat.items():
            count = min(ENTRIES, len(values))
            gradient[name] = values[np.arange(count) * len(values) // count].tobytes().hex()
        vectors = {"about": about, "torch": torch.__version__, "loss": loss.item(), "gradient": gradient}
        print(json.dumps(vectors, indent=2))
