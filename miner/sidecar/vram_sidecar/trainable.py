"""Which of a model's parameters are trained: all of them, those of the last blocks, or added low-rank ones (LoRA).

A LoRA pair stands beside the matrix that it changes: `<matrix>.lora_A` [rank, inputs] and `<matrix>.lora_B`
[outputs, rank]. The matrix in force is W + B·A (transposed where the model keeps its matrices so), and B starts at zero.
"""

import math
import re

import torch
from torch.nn.utils import parametrize
from transformers.pytorch_utils import Conv1D

from .refused import Refused


def parse_spec(spec):
    """`all`, `last:N` or `lora:R` as (kind, number)."""
    match = re.fullmatch(r"(all)|(last|lora):([1-9][0-9]{0,3})", spec)
    if match is None:
        raise Refused("bad_trainable", f"--trainable is all, last:N or lora:R, not {spec}")
    return ("all", 0) if match[1] else (match[2], int(match[3]))


def short_prefix(net):
    """What every parameter's name starts with and the network leaves out, e.g. `transformer.`; else nothing."""
    prefix = net.base_model_prefix + "."
    return prefix if all(name.startswith(prefix) for name, _ in net.named_parameters()) else ""


def blocks_of(net):
    """The path of the list of transformer blocks, and how many there are."""
    wanted = getattr(net.config, "num_hidden_layers", None)
    for path, module in net.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == wanted:
            return path, wanted
    raise Refused("no_blocks", "This model's transformer blocks were not found: only --trainable all is possible")


class LowRank(torch.nn.Module):
    """A matrix with a pair added to it, while it is trained."""

    def __init__(self, a, b, turned):
        super().__init__()
        self.a, self.b, self.turned = torch.nn.Parameter(a), torch.nn.Parameter(b), turned

    def forward(self, matrix):
        change = self.b @ self.a
        return matrix + (change.T if self.turned else change)


class Subset:
    """The parameters of `net` by the network's names, each list ascending, and how they make up the model's own."""

    def __init__(self, net, spec, seed=0):
        kind, number = parse_spec(spec)
        named = dict(net.named_parameters())
        prefix = short_prefix(net)
        self.spec = spec
        self.pairs = {}
        tensors = {name: p.detach() for name, p in named.items()}
        trained = set(named)
        if kind == "last":
            path, count = blocks_of(net)
            if number > count:
                raise Refused("bad_trainable", f"--trainable last:{number}, and the model has {count} blocks")
            heads = tuple(f"{path}.{i}." for i in range(count - number, count))
            trained = {name for name in named if name.startswith(heads)}
        elif kind == "lora":
            added = self._add_pairs(net, named, number, seed)
            trained = set(added)
            tensors.update(added)
        self._full = {name[len(prefix):]: name for name in tensors}
        self.tensors = {short: tensors[full] for short, full in self._full.items()}
        self.trainable = sorted(short for short, full in self._full.items() if full in trained)
        self.frozen = sorted(short for short, full in self._full.items() if full not in trained)

    def _add_pairs(self, net, named, rank, seed):
        path, _ = blocks_of(net)
        generator = torch.Generator().manual_seed(seed)
        added = {}
        for name, module in net.named_modules():
            if not name.startswith(path + ".") or not isinstance(module, (torch.nn.Linear, Conv1D)):
                continue
            turned = isinstance(module, Conv1D)
            outputs, inputs = reversed(module.weight.shape) if turned else module.weight.shape
            if rank > min(outputs, inputs):
                raise Refused("bad_trainable", f"--trainable lora:{rank}, and {name} is {outputs} by {inputs}")
            added[f"{name}.lora_A"] = torch.randn(rank, inputs, generator=generator) / math.sqrt(inputs)
            added[f"{name}.lora_B"] = torch.zeros(outputs, rank)
            self.pairs[f"{name}.weight"] = (f"{name}.lora_A", f"{name}.lora_B", turned)
        return added

    def in_force(self, tensors):
        """The model's own parameters, by its own names, from `tensors` by the network's."""
        by_full = {self._full[short]: tensor for short, tensor in tensors.items()}
        own = {name: t for name, t in by_full.items() if not name.endswith((".lora_A", ".lora_B"))}
        for name, (a, b, turned) in self.pairs.items():
            change = by_full[b] @ by_full[a]
            own[name] = own[name] + (change.T if turned else change)
        return own

    def attach(self, net):
        """Freeze what is not trained, add the pairs, and return what is trained: (name, parameter), ascending."""
        net.requires_grad_(False)
        named = dict(net.named_parameters())
        for name, (a, b, turned) in self.pairs.items():
            module = net.get_submodule(name.removesuffix(".weight"))
            tensors = [self._tensor_of(full).to(module.weight.device) for full in (a, b)]
            pair = LowRank(*tensors, turned)
            parametrize.register_parametrization(module, "weight", pair)
            named[a], named[b] = pair.a, pair.b
        return [(short, named[self._full[short]].requires_grad_(True)) for short in self.trainable]

    def _tensor_of(self, full):
        return next(self.tensors[short] for short, name in self._full.items() if name == full)
