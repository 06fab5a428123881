"""One causal LM: its weights in float32, its loss, and training that gives a pseudo-gradient.

Methods that begin with `tell` run in every process of torchrun at once; alone they are ordinary methods.
"""

import hashlib
import math
import secrets
import sys
import threading
import time

import torch

from .checkpoint import data_of, header_of
from .loss import IGNORED, loss_sum, targets_in
from .opening import config_of, open_model  # noqa: F401
from .packaged import Packaged
from .ranks import Ranks, pick_device
from .refused import Refused
from .shards import Shards
from .trainable import Subset, parse_spec

BETAS, EPSILON, WEIGHT_DECAY, MAX_NORM = (0.9, 0.95), 1e-5, 0.1, 1.0
LARGE = 500_000_000
# Gradients of float16 arithmetic are computed this much larger, lest they vanish; halved where they overflow.
FLOAT16_SCALE = 65536.0
IDLE = {"busy": False, "uid": None, "window": None, "step": 0, "steps": 0, "loss": None, "seconds": 0.0}


def checkpoint_activations(net):
    """Compute activations twice; PyTorch's older way to do so gives no gradient where the first blocks are frozen."""
    once = {"use_reentrant": False}
    if hasattr(net, "activation_checkpointing_enable"):
        net.activation_checkpointing_enable(activation_checkpointing_kwargs=once)
    else:
        net.gradient_checkpointing_enable(gradient_checkpointing_kwargs=once)


class TrainedModel:
    """The weights are those of the last checkpoint, but for `train(keep=True)`."""

    def __init__(self, args, hook, ranks=None):
        self.args, self.hook = args, hook
        self.ranks = ranks or Ranks(pick_device(args.device))
        self.device = self.ranks.device
        dtype = args.dtype
        if dtype == "auto":
            dtype = "bfloat16" if self.device.type == "cuda" else "float32"
        self.dtype = getattr(torch, dtype)
        package = None if args.package is None else Packaged(args.package)
        self.source = (args.model or "gpt2") if package is None else package.architecture(args.model)
        spec = package.spec if package else args.trainable or "all"
        parse_spec(spec)
        self.net = open_model(self.source, args.seed, weights=package is None)
        self.name = package.name if package else self.source
        self.package = package.hash if package else None
        subset = Subset(self.net, spec, args.seed)
        if package:
            package.fill(subset)
        self.parameters = sum(p.numel() for p in self.net.parameters())
        # Code unit order, as the network's manifest has it: names are ASCII.
        trained = subset.attach(self.net)
        if package and self.ranks.rank == 0 and not package.compare(self.net):
            print("The model was not compared with the package's graph: that takes onnxruntime", file=sys.stderr)
        if args.parallel == "ddp" or self.ranks.count == 1:
            self.net.to(self.device)
        self.header = header_of([(name, p.shape) for name, p in trained])
        self.total = sum(p.numel() for _, p in trained)
        self.layout = hashlib.sha256(self.header).hexdigest()
        if args.gradient_checkpointing == "on" or (args.gradient_checkpointing == "auto" and self.parameters > LARGE):
            checkpoint_activations(self.net)
        self.net.train()
        self.shards = Shards(self.net, trained, self.ranks, args.parallel)
        self.params = self.shards.params
        self.instance = secrets.token_hex(8)
        self.base = None
        self.optimizer = None
        self.scale = FLOAT16_SCALE if self.dtype == torch.float16 else 1.0
        self.progress = IDLE
        self.stopping = threading.Event()

    @property
    def vocab(self):
        return self.net.config.get_text_config().vocab_size

    @property
    def positions(self):
        """How many tokens a row may have as input, or None where the model does not say."""
        return getattr(self.net.config.get_text_config(), "max_position_embeddings", None)

    def load(self, file):
        """Continue from a checkpoint; a refused one leaves the former weights."""
        data = data_of(self.header, self.total, file)
        self._set(self.finite(torch.frombuffer(bytearray(data), dtype=torch.float32)))
        self.base = hashlib.sha256(file).hexdigest()

    def _set(self, theta):
        self.ranks.tell("take")
        self.take(theta)

    def take(self, theta=None):
        self.shards.scatter(theta)
        self.optimizer = None

    def flat(self):
        """θ, float32 on the CPU; None but in rank 0."""
        self.ranks.tell("flat")
        return self.shards.gather(self.shards.copy())

    def save(self):
        """The file; its hash becomes the base, since these are the weights."""
        file = self.header + self.flat().numpy().tobytes()
        self.base = hashlib.sha256(file).hexdigest()
        return file

    def apply(self, data, beta):
        """θ ← θ − β · gradient, float32 bytes."""
        if len(data) != 4 * self.total:
            raise Refused("wrong_size", f"The gradient has {len(data)} bytes and the model {4 * self.total}")
        gradient = self.finite(torch.frombuffer(bytearray(data), dtype=torch.float32))
        self._set(self.finite(self.flat() - beta * gradient))
        self.save()

    def finite(self, values):
        if not torch.isfinite(values).all():
            raise Refused("non_finite", "A value is not finite", 422)
        return values

    def number(self, loss):
        if not math.isfinite(loss):
            raise Refused("non_finite", f"The loss is {loss}", 422)
        return loss

    def _loss_sum(self, rows, net):
        mine = self.ranks.share(rows)
        if mine is None:
            # This process has nothing to add, but the others' sums wait for it.
            mine = [(rows[0][0], [IGNORED] * len(rows[0][0]))]
        return loss_sum(net, mine, self.device, self.dtype, self.hook)

    @torch.no_grad()
    def forward_loss(self, rows):
        """Mean loss of `rows` in nats a target."""
        self.ranks.tell("forward_loss", rows)
        sums, count = 0.0, 0
        for at in range(0, len(rows), self.args.batch):
            part, targets = self._loss_sum(rows[at : at + self.args.batch], self.net)
            sums, count = sums + part.item(), count + targets
        sums, count = self.ranks.sum(sums, count)
        if count == 0:
            raise Refused("no_targets", "No token of these rows is a target", 422)
        return self.number(sums / count)

    def _optimizer(self, lr):
        groups = [
            {"params": [p for _, p in self.params if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for _, p in self.params if p.dim() <= 1], "weight_decay": 0.0},
        ]
        cls = torch.optim.AdamW
        if self.args.use_8bit_adam:
            import bitsandbytes

            cls = bitsandbytes.optim.AdamW8bit
        return cls([group for group in groups if group["params"]], lr=lr, betas=BETAS, eps=EPSILON)

    def _backward(self, rows):
        """Gradients of the mean loss of `rows`, of norm 1 at most, in `p.grad`; the loss before the step."""
        targets = targets_in(rows)
        if targets == 0:
            raise Refused("no_targets", "No token of these rows is a target", 422)
        while True:
            self.shards.forget_gradients()
            part, _ = self._loss_sum(rows, self.shards.engine)
            # PyTorch's engines give the mean over processes of what is wanted as a sum.
            (part * (self.scale * self.ranks.count / targets)).backward()
            loss, stop = self.ranks.sum(part.item() / targets, float(self.stopping.is_set()))
            self.number(loss)
            if stop:
                raise Refused("stopping", "The sidecar is shutting down", 503)
            norm = self.shards.gradient_norm() / self.scale
            if math.isfinite(norm) or self.scale == 1.0:
                break
            self.scale /= 2
        self.number(norm)
        self.shards.scale_gradients(min(1.0, MAX_NORM / max(norm, 1e-30)) / self.scale)
        return loss

    def train(self, rows, steps, lr, uid, window, keep=False):
        """θ_start − θ_end after `steps` of AdamW, float32, and the loss before each step.

        Each step takes the next `--batch` rows and starts over at the end. `keep` leaves the weights where they are
        then, with the optimiser's moments: what the seed's dialect does.
        """
        self.ranks.tell("train", rows, steps, lr, uid, window, keep)
        start, began = self.shards.copy(), time.monotonic()
        if not keep or self.optimizer is None:
            self.optimizer = self._optimizer(lr)
        losses, at = [], 0
        self.progress = {**IDLE, "busy": True, "uid": uid, "window": window, "steps": steps}
        try:
            for step in range(steps):
                part = [rows[(at + i) % len(rows)] for i in range(min(self.args.batch, len(rows)))]
                at += len(part)
                losses.append(self._backward(part))
                self.optimizer.step()
                seconds = round(time.monotonic() - began, 3)
                self.progress = {**self.progress, "step": step + 1, "loss": losses[-1], "seconds": seconds}
            change = self.shards.gather([a - b for a, b in zip(start, self.shards.copy())])
            return (change if change is None else self.finite(change)), losses
        except BaseException:
            keep = False
            raise
        finally:
            self.shards.forget_gradients()
            if keep:
                self.base = None
            else:
                self.shards.put_back(start)
                self.optimizer = None
            self.progress = {**self.progress, "busy": False}
