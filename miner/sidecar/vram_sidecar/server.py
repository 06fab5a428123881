"""The HTTP server: the seed's JSON, and the binary dialect to those that ask for it. The standard library's own."""

import base64
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from . import wire
from .refused import Refused

BINARY = "application/octet-stream"
MAX_STEPS = 1_000_000


class Service:
    """What the paths do; one at a time, but for /health."""

    def __init__(self, model, data, args):
        self.model, self.data, self.args = model, data, args
        self.lock = threading.Lock()
        # A checkpoint in base64 is the largest body there is.
        self.max_body = 6 * model.total + 2 * len(model.header) + (1 << 20)

    def health(self):
        model = self.model
        info = {
            "status": "ok", "model": model.name, "device": str(model.device),
            "dtype": str(model.dtype).removeprefix("torch."), "dataset": self.data.spec,
            "dataset_rows": None if self.data.rows is None else len(self.data.rows),
            "chat_template": bool(getattr(self.data.tokenizer, "chat_template", None)),
            "dialects": ["json", "binary-1"], "parameters": model.total, "layout": model.layout,
            "instance": model.instance, "base": model.base, "progress": model.progress,
        }
        if model.device.type == "cuda":
            free, total = torch.cuda.mem_get_info(model.device)
            info["vram_used_gb"] = round((total - free) / 1e9, 2)
            info["vram_total_gb"] = round(total / 1e9, 2)
        return info

    def _pages(self, meta, data):
        """The rows of a frame, whose hash must be the named one."""
        rows = wire.number(meta, "rows", low=1, high=1 << 20)
        tokens = wire.number(meta, "tokens", low=2, high=1 << 20)
        if len(data) != 4 * rows * tokens:
            raise Refused("wrong_size", f"{rows} pages of {tokens} tokens are not {len(data)} bytes")
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
            return {"gradient": gradient.tolist(), "loss": losses[0]}
        meta, data = wire.decode(body)
        self._same_base(meta)
        rows, digest = self._pages(meta, data)
        gradient, losses = self.model.train(
            rows, wire.number(meta, "steps", low=1, high=MAX_STEPS),
            wire.number(meta, "lr", float, 1e-12, 1e3), wire.number(meta, "uid"), wire.number(meta, "window"),
        )
        reply = self._reply(loss=losses[0], losses=losses[-1000:], batch=digest, parameters=self.model.total)
        return wire.encode(reply, gradient.numpy().tobytes())

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
        if binary:
            return wire.encode(self._reply(), file)
        return {"data": base64.b64encode(file).decode()}

    def apply_gradient(self, body, binary):
        if not binary:
            raise Refused("binary_only", f"Send {BINARY}", 415)
        meta, data = wire.decode(body)
        self._same_base(meta)
        if meta.get("sha256") != hashlib.sha256(data).hexdigest():
            raise Refused("wrong_batch", "The gradient has another hash than the request names")
        self.model.apply(data, wire.number(meta, "beta", float, -1e9, 1e9))
        return wire.encode(self._reply())


def as_json(body):
    try:
        value = json.loads(bytes(body))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused("bad_request", "The body is no JSON object")
    return value


def handler(service, token):
    paths = {f"/{name}": getattr(service, name) for name in
             ("train", "forward_loss", "load_checkpoint", "save_checkpoint", "apply_gradient")}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def log_message(self, *_):
            pass

        def _allowed(self):
            # A page in a browser on this machine is nobody who may train.
            if self.headers.get("Origin") is not None:
                raise Refused("forbidden", "Browsers are not served", 403)
            given = self.headers.get("Authorization", "")
            if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                raise Refused("unauthorized", "The bearer token is missing or wrong", 401)

        def _body(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                raise Refused("length_required", "Content-Length is missing", 411)
            if int(length) > service.max_body:
                raise Refused("too_large", f"The body has more than {service.max_body} bytes", 413)
            body = self.rfile.read(int(length))
            if len(body) != int(length):
                raise Refused("bad_request", f"The body ends at {len(body)} of {length} bytes")
            return body

        def _send(self, status, parts, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(sum(len(part) for part in parts)))
            # A client never meets a connection that this side closed while it lay idle.
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            for part in parts:
                self.wfile.write(part)

        def _answer(self, run):
            try:
                self._allowed()
                reply = run()
                if isinstance(reply, dict):
                    self._send(200, [json.dumps(reply, allow_nan=False).encode()], "application/json")
                else:
                    self._send(200, reply, BINARY)
            except Refused as error:
                self._error(error.status, error.code, str(error))
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                self.close_connection = True
            except Exception as error:  # a fault of the framework is an answer too, never a silence
                self._error(500, "failed", f"{type(error).__name__}: {error}")

        def _error(self, status, code, message):
            print(f"{self.command} {self.path}: {code}: {message}", file=sys.stderr, flush=True)
            text = json.dumps({"error": code, "message": message}).encode()
            self._send(status, [text], "application/json")

        def do_GET(self):
            def run():
                if self.path != "/health":
                    raise Refused("not_found", f"There is no {self.path}", 404)
                return service.health()

            self._answer(run)

        def do_POST(self):
            def run():
                if self.path not in paths:
                    raise Refused("not_found", f"There is no {self.path}", 404)
                body = self._body()
                with service.lock:
                    return paths[self.path](body, BINARY in self.headers.get("Accept", ""))

            self._answer(run)

    return Handler


def serve(model, data, args):
    """Serve until interrupted."""
    server = ThreadingHTTPServer((args.host, args.port), handler(Service(model, data, args), args.token))
    server.daemon_threads = True
    where = f"http://{args.host}:{server.server_address[1]}"
    print(f"Sidecar listening on {where}: {model.name}, {model.total} parameters, {model.device}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
