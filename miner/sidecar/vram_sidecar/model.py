"""One causal LM: its weights in float32, its loss, and training that gives a pseudo-gradient."""

import hashlib
import os
import secrets

import torch
import torch.nn.functional as F
from transformers import AutoConfig, AutoModelForCausalLM

from .checkpoint import data_of, header_of
from .presets import preset
from .refused import Refused
from .trainable import Subset

IGNORED = -100
BETAS, EPSILON, WEIGHT_DECAY, MAX_NORM = (0.9, 0.95), 1e-5, 0.1, 1.0


def pick_device(spec):
    if spec != "auto":
        return torch.device(spec)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def without_dropout(config):
    """The judge's loss has no dropout, so the gradient of it has none either."""
    for name, value in vars(config).items():
        if ("dropout" in name or name.endswith("pdrop")) and isinstance(value, (int, float)):
            setattr(config, name, 0.0)
    return config


def config_of(spec):
    """The configuration of the model of `spec`."""
    if spec.startswith("vramhub:"):
        return without_dropout(preset(spec[len("vramhub:"):]))
    return without_dropout(AutoConfig.from_pretrained(spec))


def open_model(spec, seed):
    """The model of `spec` in float32."""
    torch.manual_seed(seed)
    config = config_of(spec)
    if spec.startswith("vramhub:"):
        return AutoModelForCausalLM.from_config(config)
    weights = (".safetensors", ".bin", ".index.json")
    if os.path.isdir(spec) and not any(name.endswith(weights) for name in os.listdir(spec)):
        return AutoModelForCausalLM.from_config(config).float()
    return AutoModelForCausalLM.from_pretrained(spec, config=config).float()


class TrainedModel:
    """The weights are those of the last checkpoint, but for `train(keep=True)`."""

    def __init__(self, args, hook):
        self.args = args
        self.hook = hook
        self.device = pick_device(args.device)
        dtype = args.dtype
        if dtype == "auto":
            dtype = "bfloat16" if self.device.type == "cuda" else "float32"
        self.dtype = getattr(torch, dtype)
        self.net = open_model(args.model, args.seed).to(self.device)
        self.name = args.model
        large = sum(p.numel() for p in self.net.parameters()) > 500_000_000
        # Code unit order, as the network's manifest has it: names are ASCII.
        self.params = Subset(self.net, args.trainable, args.seed).attach(self.net)
        self.total = sum(p.numel() for _, p in self.params)
        self.header = header_of([(name, p.shape) for name, p in self.params])
        self.layout = hashlib.sha256(self.header).hexdigest()
        self.instance = secrets.token_hex(8)
        self.base = None
        self.optimizer = None
        self.progress = {"busy": False, "uid": None, "window": None, "step": 0, "steps": 0}
        self.adam8bit = args.use_8bit_adam
        if args.gradient_checkpointing == "on" or (args.gradient_checkpointing == "auto" and large):
            self.net.gradient_checkpointing_enable()
        self.net.train()

    @property
    def vocab(self):
        return self.net.config.vocab_size

    @torch.no_grad()
    def flat(self):
        """A copy of θ on the CPU, float32."""
        return torch.cat([p.detach().reshape(-1).cpu() for _, p in self.params])

    @torch.no_grad()
    def set_flat(self, theta):
        at = 0
        for _, p in self.params:
            p.copy_(theta[at : at + p.numel()].view(p.shape))
            at += p.numel()

    def load(self, file):
        data = data_of(self.header, self.total, file)
        theta = torch.frombuffer(bytearray(data), dtype=torch.float32)
        self.set_flat(self.finite(theta))
        self.optimizer = None
        self.base = hashlib.sha256(file).hexdigest()

    def save(self):
        """The file; its hash becomes the base, since these are the weights."""
        file = self.header + self.flat().numpy().tobytes()
        self.base = hashlib.sha256(file).hexdigest()
        return file

    def apply(self, data, beta):
        if len(data) != 4 * self.total:
            raise Refused("wrong_size", f"The gradient has {len(data)} bytes and the model {4 * self.total}")
        gradient = self.finite(torch.frombuffer(bytearray(data), dtype=torch.float32))
        self.set_flat(self.finite(self.flat() - beta * gradient))
        self.optimizer = None
        self.save()

    def finite(self, values):
        if not torch.isfinite(values).all():
            raise Refused("non_finite", "A value is not finite", 422)
        return values

    def loss(self, rows):
        """Mean loss in nats over the targets of `rows`, each (tokens, targets or None for all that follow)."""
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
        padded = bool((mask == 0).any())
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            out = self.net(
                input_ids=inputs.to(self.device),
                attention_mask=mask.to(self.device) if padded else None,
                use_cache=False,
            )
        logits, targets = out.logits.float(), targets.to(self.device)
        if hasattr(self.hook, "loss"):
            return self.hook.loss(logits, targets)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)

    @torch.no_grad()
    def forward_loss(self, rows):
        sums, count = 0.0, 0
        for at in range(0, len(rows), self.args.batch):
            part = rows[at : at + self.args.batch]
            targets = sum(target != IGNORED for tokens, wanted in part for target in (wanted or tokens)[1:])
            sums += self.loss(part).item() * targets
            count += targets
        return self.number(sums / count)

    def number(self, loss):
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise Refused("non_finite", f"The loss is {loss}", 422)
        return loss

    def _optimizer(self, lr):
        groups = [
            {"params": [p for _, p in self.params if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for _, p in self.params if p.dim() <= 1], "weight_decay": 0.0},
        ]
        cls = torch.optim.AdamW
        if self.adam8bit:
            import bitsandbytes

            cls = bitsandbytes.optim.AdamW8bit
        return cls(groups, lr=lr, betas=BETAS, eps=EPSILON)

    def train(self, rows, steps, lr, uid, window, keep=False):
        """θ_start − θ_end after `steps` of AdamW, float32, and the loss before each step.

        Each step takes the next `--batch` rows and starts over at the end. `keep` leaves the weights where they are
        then, with the optimiser's moments: what the seed's dialect does.
        """
        start = self.flat()
        if not keep or self.optimizer is None:
            self.optimizer = self._optimizer(lr)
        losses, at = [], 0
        self.progress = {"busy": True, "uid": uid, "window": window, "step": 0, "steps": steps}
        try:
            for step in range(steps):
                part = [rows[(at + i) % len(rows)] for i in range(min(self.args.batch, len(rows)))]
                at += len(part)
                self.optimizer.zero_grad(set_to_none=True)
                loss = self.loss(part)
                losses.append(self.number(loss.item()))
                loss.backward()
                gradients = [p.grad for _, p in self.params if p.grad is not None]
                norm = torch.sqrt(sum((g.double() ** 2).sum() for g in gradients)).item()
                self.number(norm)
                if norm > MAX_NORM:
                    for g in gradients:
                        g.mul_(MAX_NORM / norm)
                self.optimizer.step()
                self.progress["step"] = step + 1
            return self.finite(start - self.flat()), losses
        except BaseException:
            keep = False
            raise
        finally:
            self.optimizer.zero_grad(set_to_none=True)
            if keep:
                self.base = None
            else:
                self.set_flat(start)
                self.optimizer = None
            self.progress = {**self.progress, "busy": False}
