"""Rows of tokens as one padded batch, and its loss. A row is (tokens, targets or None for all tokens that follow)."""

import torch
import torch.nn.functional as F

IGNORED = -100


def targets_in(rows):
    """How many targets count in `rows`."""
    return sum(target != IGNORED for tokens, wanted in rows for target in (tokens if wanted is None else wanted)[1:])


def padded(rows):
    """(inputs, targets, mask), int64 [rows, longest]; padding is masked and its targets are ignored."""
    longest = max(len(tokens) for tokens, _ in rows) - 1
    inputs = torch.zeros(len(rows), longest, dtype=torch.long)
    targets = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, (tokens, wanted) in enumerate(rows):
        n = len(tokens) - 1
        inputs[i, :n] = torch.tensor(tokens[:-1])
        # Shifted here, once: the model is not given labels, which it would shift again.
        targets[i, :n] = torch.tensor(tokens[1:] if wanted is None else wanted[1:])
        mask[i, :n] = 1
    return inputs, targets, mask


def loss_sum(net, rows, device, dtype, hook):
    """The sum of the losses of `rows` in nats, a tensor, and over how many targets it is."""
    inputs, targets, mask = padded(rows)
    count = int((targets != IGNORED).sum())
    is_full = bool((mask != 0).all())
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        out = net(
            input_ids=inputs.to(device), attention_mask=None if is_full else mask.to(device), use_cache=False,
        )
    logits, targets = out.logits.float(), targets.to(device)
    if count == 0:
        return 0 * logits.sum(), 0
    if hasattr(hook, "loss"):
        return hook.loss(logits, targets) * count, count
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"), count
