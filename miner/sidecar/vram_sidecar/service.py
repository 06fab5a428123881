"""What the paths do: the seed's JSON, and the binary dialect to those that ask for it; one at a time, but /health."""

import base64
import hashlib
import json
import threading

import torch

from . import wire
from .refused import Refused

BINARY = "application/octet-stream"
MAX_STEPS = 1_000_000
# A request in the seed's JSON names two numbers.
SMALL = 1 << 16
MAX_PAGES = 32 << 20
JSON_FLOATS = 1 << 16
BASE64_BYTES = 3 << 18


class Streamed:
    """A JSON answer in parts, so that its text never lies in memory whole."""

    def __init__(self, parts):
        self.parts = parts


class Service:
    """Answers are a dict or `Streamed` (JSON), or a list of bytes (a frame)."""

    def __init__(self, model, data, args):
        self.model, self.data, self.args = model, data, args
        self.lock = threading.Lock()
        flat = 4 * model.total + wire.MAX_META
        file = 4 * model.total + len(model.header)
        # The method of each path, and how long a body in JSON and a binary one may be.
        self.paths = {
            "/train": (self.train, SMALL, MAX_PAGES + wire.MAX_META),
            "/forward_loss": (self.forward_loss, SMALL, MAX_PAGES + wire.MAX_META),
            "/load_checkpoint": (self.load_checkpoint, 4 * file // 3 + SMALL, file + SMALL),
            "/save_checkpoint": (self.save_checkpoint, SMALL, SMALL),
            "/apply_gradient": (self.apply_gradient, SMALL, flat + SMALL),
        }

    def health(self):
        model = self.model
        return {
            "status": "ok", "model": model.name, "device": str(model.device),
            "dtype": str(model.dtype).removeprefix("torch."), "dataset": self.data.spec,
            "dataset_rows": None if self.data.rows is None else len(self.data.rows),
            "chat_template": bool(getattr(self.data.tokenizer, "chat_template", None)),
            "dialects": ["json", "binary-1"], "parameters": model.total, "all_parameters": model.parameters,
            "layout": model.layout, "package": model.package, "instance": model.instance, "base": model.base,
            "processes": model.ranks.count, "progress": model.progress, **gpu_memory(model.device),
        }

    def _pages(self, meta, data):
        """The rows of a frame, whose hash must be the named one."""
        rows = wire.number(meta, "rows", low=1, high=1 << 20)
        tokens = wire.number(meta, "tokens", low=2, high=1 << 20)
        if len(data) != 4 * rows * tokens:
            raise Refused("wrong_size", f"{rows} pages of {tokens} tokens are not {len(data)} bytes")
        if self.model.positions is not None and tokens - 1 > self.model.positions:
            raise Refused("too_long", f"A page predicts {tokens - 1} tokens, the model {self.model.positions}", 422)
        digest = hashlib.sha256(data).hexdigest()
        if meta.get("sha256") != digest:
            raise Refused("wrong_batch", "The pages have another hash than the request names")
        flat = memoryview(bytes(data)).cast("I").tolist()
        if max(flat) >= self.model.vocab:
            raise Refused("token_out_of_range", f"A token is not below {self.model.vocab}", 422)
        return [(flat[i : i + tokens], None) for i in range(0, len(flat), tokens)], digest

    def _same_base(self, meta):
        if meta.get("base") != self.model.base or self.model.base is None:
            raise Refused("wrong_base", "Other weights are loaded than the request is for", 409)

    def _reply(self, **meta):
        return {**meta, "base": self.model.base, "instance": self.model.instance}

    def train(self, body, binary):
        if not binary:
            asked = as_json(body)
            uid, window = wire.number(asked, "uid"), wire.number(asked, "window")
            rows = self.data.batch(uid, window)
            gradient, losses = self.model.train(rows, 1, self.args.lr, uid, window, keep=True)
            return Streamed(json_gradient(gradient, losses[0]))
        meta, data = wire.decode(body)
        self._same_base(meta)
        rows, digest = self._pages(meta, data)
        gradient, losses = self.model.train(
            rows, wire.number(meta, "steps", low=1, high=MAX_STEPS),
            wire.number(meta, "lr", float, 1e-12, 1e3), wire.number(meta, "uid"), wire.number(meta, "window"),
        )
        reply = self._reply(loss=losses[0], losses=losses[-1000:], batch=digest, parameters=self.model.total)
        return wire.encode(reply, memoryview(gradient.numpy()).cast("B"))

    def forward_loss(self, body, binary):
        if not binary:
            asked = as_json(body)
            rows = self.data.batch(wire.number(asked, "uid"), wire.number(asked, "window"))
            return {"loss": self.model.forward_loss(rows)}
        meta, data = wire.decode(body)
        self._same_base(meta)
        rows, digest = self._pages(meta, data)
        return wire.encode(self._reply(loss=self.model.forward_loss(rows), batch=digest))

    def load_checkpoint(self, body, binary):
        if not binary:
            try:
                body = base64.b64decode(as_json(body).get("data", ""), validate=True)
            except (ValueError, TypeError) as error:
                raise Refused("bad_request", "'data' must be base64") from error
        self.model.load(body)
        return wire.encode(self._reply()) if binary else {"ok": True}

    def save_checkpoint(self, _body, binary):
        file = self.model.save()
        return wire.encode(self._reply(), file) if binary else Streamed(json_file(file))

    def apply_gradient(self, body, binary):
        if not binary:
            raise Refused("binary_only", f"Ask with Accept: {BINARY}", 415)
        meta, data = wire.decode(body)
        self._same_base(meta)
        if meta.get("sha256") != hashlib.sha256(data).hexdigest():
            raise Refused("wrong_batch", "The gradient has another hash than the request names")
        self.model.apply(data, wire.number(meta, "beta", float, -1e9, 1e9))
        return wire.encode(self._reply())


def gpu_memory(device):
    """Of this process's GPU, in 1e9 bytes; nothing on a CPU."""
    if device.type != "cuda":
        return {}
    free, total = torch.cuda.mem_get_info(device)
    peak = torch.cuda.max_memory_allocated(device)
    found = {"vram_used_gb": total - free, "vram_total_gb": total, "vram_peak_gb": peak}
    return {name: round(value / 1e9, 2) for name, value in found.items()}


def json_gradient(gradient, loss):
    yield b'{"gradient": ['
    for at in range(0, gradient.numel(), JSON_FLOATS):
        # Nine digits are enough for every float32.
        part = ",".join(f"{value:.9g}" for value in gradient[at : at + JSON_FLOATS].tolist())
        yield ("," if at else "").encode() + part.encode()
    yield f'], "loss": {json.dumps(loss)}}}'.encode()


def json_file(file):
    yield b'{"data": "'
    for at in range(0, len(file), BASE64_BYTES):
        yield base64.b64encode(file[at : at + BASE64_BYTES])
    yield b'"}'


def as_json(body):
    try:
        value = json.loads(bytes(body))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused("bad_request", "The body is no JSON object")
    return value
