#!/usr/bin/env python3
"""A stand-in for a Templar process: the bridge's protocol in front of a bigram model, in plain Python.

It is not Templar. It shows what a bridge must answer (miner/adapters/templar.ts), and the tests train on it. To
bridge a real one, keep Handler and write the six methods of Model over its trainer.
"""

import argparse
import array
import hashlib
import heapq
import hmac
import json
import math
import os
import secrets
import struct
from http.server import BaseHTTPRequestHandler, HTTPServer

VOCAB = 256
TOTAL = VOCAB * VOCAB
BLOCK = 64
MAX_META = 1 << 16
HEADER = json.dumps(
    {"bigram.weight": {"dtype": "F32", "shape": [VOCAB, VOCAB], "data_offsets": [0, 4 * TOTAL]}},
    separators=(",", ":"),
).encode()
HEADER += b" " * (-len(HEADER) % 8)
HEADER = struct.pack("<Q", len(HEADER)) + HEADER
MAX_BODY = 4 * TOTAL + len(HEADER) + MAX_META + (1 << 20)


class Refused(Exception):
    """What was asked cannot be done: a stable code, and why."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.status = code, status


def floats(data):
    """TOTAL finite binary32 values."""
    if len(data) != 4 * TOTAL:
        raise Refused("wrong_size", f"{len(data)} bytes are not {TOTAL} float32 values")
    values = array.array("f", bytes(data))
    if not all(map(math.isfinite, values)):
        raise Refused("non_finite", "A value is infinite or NaN")
    return values


class Model:
    """Logits of the next token, a row for each token; stochastic gradient descent."""

    def __init__(self):
        self.theta = array.array("f", bytes(4 * TOTAL))

    def load(self, file):
        if bytes(file[: len(HEADER)]) != HEADER:
            raise Refused("not_safetensors", "It is no checkpoint of bigram.weight, 256 by 256")
        self.theta = floats(file[len(HEADER) :])

    def save(self):
        return HEADER + self.theta.tobytes()

    def loss(self, pages, gradient=None, theta=None):
        """Mean cross-entropy in nats; adds its gradient to `gradient`."""
        theta = self.theta if theta is None else theta
        pairs = [(row[i], row[i + 1]) for row in pages for i in range(len(row) - 1)]
        total = 0.0
        for this, then in pairs:
            at = this * VOCAB
            exps = list(map(math.exp, theta[at : at + VOCAB]))
            norm = sum(exps)
            total += math.log(norm / exps[then])
            if gradient is not None:
                scale = 1 / (norm * len(pairs))
                for j, e in enumerate(exps):
                    gradient[at + j] += e * scale
                gradient[at + then] -= 1 / len(pairs)
        return total / len(pairs)

    def train(self, pages, steps, lr):
        """The loss before the first step, and what the steps took off the weights; they stay as they were."""
        theta, first = array.array("d", self.theta), None
        for _ in range(steps):
            gradient = array.array("d", bytes(8 * TOTAL))
            loss = self.loss(pages, gradient, theta)
            first = loss if first is None else first
            theta = array.array("d", (t - lr * g for t, g in zip(theta, gradient)))
        return first, array.array("f", (a - b for a, b in zip(self.theta, theta)))

    def choose(self, gradient, percent):
        """Places of the same even number of the largest entries in each block of 64 by 64."""
        k = max(2, 2 * int(BLOCK * BLOCK * percent / 200))
        places = []
        for top in range(0, VOCAB, BLOCK):
            for left in range(0, VOCAB, BLOCK):
                block = [r * VOCAB + c for r in range(top, top + BLOCK) for c in range(left, left + BLOCK)]
                places += heapq.nlargest(k, block, key=lambda i: abs(gradient[i]))
        return array.array("I", sorted(places))

    def apply(self, gradient, beta):
        theta = array.array("f", (t - beta * g for t, g in zip(self.theta, gradient)))
        if not all(map(math.isfinite, theta)):
            raise Refused("non_finite", "The weights would not be finite")
        self.theta = theta


def number(meta, name, low, high, kind=(int, float)):
    value = meta.get(name)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise Refused("bad_request", f"'{name}' must be a number from {low} to {high}")
    return value


class Service:
    """What the paths do: each takes a frame's object and data, and gives those of the answer."""

    def __init__(self):
        self.model, self.instance = Model(), secrets.token_hex(8)

    def health(self):
        layout = hashlib.sha256(HEADER).hexdigest()
        return {"status": "ok", "dialects": ["templar-1"], "model": "stand-in", "device": "cpu",
                "parameters": TOTAL, "layout": layout}

    def base(self):
        return hashlib.sha256(self.model.save()).hexdigest()

    def _about(self, **more):
        return {"base": self.base(), "instance": self.instance, **more}

    def _same_base(self, meta):
        if meta.get("base") != self.base():
            raise Refused("wrong_base", "Other weights are loaded than the request is for", 409)

    def _hashed(self, meta, data):
        digest = hashlib.sha256(data).hexdigest()
        if meta.get("sha256") != digest:
            raise Refused("wrong_batch", "The data have another hash than the request names")
        return digest

    def _pages(self, meta, data):
        rows, tokens = (number(meta, name, 1, 1 << 20, int) for name in ("rows", "tokens"))
        if tokens < 2 or len(data) != 4 * rows * tokens:
            raise Refused("wrong_size", f"{rows} pages of {tokens} tokens are not {len(data)} bytes")
        digest, flat = self._hashed(meta, data), array.array("I", bytes(data))
        if max(flat) >= VOCAB:
            raise Refused("token_out_of_range", f"A token is not below {VOCAB}", 422)
        return [flat[i : i + tokens] for i in range(0, len(flat), tokens)], digest

    def load_checkpoint(self, _meta, data):
        self.model.load(data)
        return self._about(), b""

    def save_checkpoint(self, _meta, _data):
        return self._about(), self.model.save()

    def train_step(self, meta, data):
        self._same_base(meta)
        pages, digest = self._pages(meta, data)
        loss, gradient = self.model.train(
            pages, number(meta, "steps", 1, 1000, int), number(meta, "lr", 1e-12, 1e3))
        return self._about(loss=loss, batch=digest), gradient.tobytes()

    def forward_loss(self, meta, data):
        self._same_base(meta)
        pages, digest = self._pages(meta, data)
        return self._about(loss=self.model.loss(pages), batch=digest), b""

    def compress_gradient(self, meta, data):
        digest = self._hashed(meta, data)
        chosen = self.model.choose(floats(data), number(meta, "percent", 1e-9, 100))
        return {"gradient": digest}, chosen.tobytes()

    def apply_gradient(self, meta, data):
        self._same_base(meta)
        self._hashed(meta, data)
        self.model.apply(floats(data), number(meta, "beta", -1e9, 1e9))
        return self._about(), b""


PATHS = ("load_checkpoint", "save_checkpoint", "train_step", "forward_loss", "compress_gradient", "apply_gradient")


def frame(body):
    """The object and the data of a frame: u32le length, JSON, data."""
    length = struct.unpack_from("<I", body)[0] if len(body) >= 4 else MAX_META + 1
    if length > MAX_META or 4 + length > len(body):
        raise Refused("bad_frame", "The frame's object does not fit it")
    try:
        meta = json.loads(bytes(body[4 : 4 + length]))
    except ValueError:
        meta = None
    if not isinstance(meta, dict):
        raise Refused("bad_frame", "The frame's head is no JSON object")
    return meta, memoryview(body)[4 + length :]


class Handler(BaseHTTPRequestHandler):
    """One request after the other; this machine only, and no browsers."""

    service = Service()
    token = os.environ.get("VRAMHUB_TEMPLAR_TOKEN")
    timeout = 60

    def log_message(self, *_):
        pass

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, status, value):
        self._send(status, "application/json", json.dumps(value).encode())

    def _answer(self, run):
        try:
            if self.headers.get("Origin") is not None:
                raise Refused("forbidden", "Browsers are not served", 403)
            given = self.headers.get("Authorization", "").encode()
            if self.token and not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
                raise Refused("unauthorized", "The bearer token is missing or wrong", 401)
            run()
        except Refused as error:
            self._json(error.status, {"error": error.code, "message": str(error)})
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        except Exception as error:  # a fault is an answer too, never a silence
            self._json(500, {"error": "failed", "message": f"{type(error).__name__}: {error}"})

    def do_GET(self):
        def run():
            if self.path != "/health":
                raise Refused("not_found", f"There is no {self.path}", 404)
            self._json(200, self.service.health())

        self._answer(run)

    def do_POST(self):
        def run():
            if self.path[1:] not in PATHS:
                raise Refused("not_found", f"There is no {self.path}", 404)
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise Refused("too_large", f"A body has at most {MAX_BODY} bytes", 413)
            body = self.rfile.read(int(length))
            if len(body) != int(length):
                raise Refused("bad_request", "The body is cut")
            meta, data = getattr(self.service, self.path[1:])(*frame(body))
            head = json.dumps(meta, allow_nan=False).encode()
            self._send(200, "application/octet-stream", struct.pack("<I", len(head)) + head + data)

        self._answer(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7080)
    server = HTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    print(f"Stand-in for Templar listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
