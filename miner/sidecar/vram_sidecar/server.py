"""The HTTP server, the standard library's own: whoever may ask, bodies within bounds, and an answer to every fault."""

import hmac
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from .refused import Refused
from .service import BINARY, Service, Streamed

MAX_CONNECTIONS = 32
# Bodies that are in memory at once: the one that is worked on, and the next.
MAX_BODIES = 2
TURN_S = 600
IDLE_S = 60
# A body may take a minute, and longer where it is long.
BYTES_A_SECOND = 1 << 20
PIECE = 1 << 20
LINGER_S, LINGER_BYTES = 2, 64 << 20
MEMORY_ADVICE = "take a smaller --batch, --gradient-checkpointing on, or under torchrun --parallel fsdp"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host, port, handler):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((host, port), handler)

    def process_request(self, request, client_address):
        if not self.room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request, client_address):
        print(f"A connection failed: {sys.exc_info()[1]}", file=sys.stderr, flush=True)

    def settled(self, seconds):
        """Whether all connections have ended within that time."""
        until = time.monotonic() + seconds
        return all(self.room.acquire(timeout=max(0, until - time.monotonic())) for _ in range(MAX_CONNECTIONS))

    @property
    def url(self):
        host, port = self.server_address[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def handler(service, token):
    bodies = threading.BoundedSemaphore(MAX_BODIES)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_S
        unread = False

        def log_message(self, *_):
            pass

        def _allowed(self):
            # A page in a browser on this machine is nobody who may train.
            if self.headers.get("Origin") is not None:
                raise Refused("forbidden", "Browsers are not served", 403)
            given = self.headers.get("Authorization", "")
            if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                raise Refused("unauthorized", "The bearer token is missing or wrong", 401)

        def _body(self, most):
            said = self.headers.get("Content-Length", "")
            if not re.fullmatch("[0-9]{1,15}", said):
                raise Refused("length_required", "Content-Length is missing", 411)
            length = int(said)
            if length > most:
                raise Refused("too_large", f"The body has {length} bytes, {self.path} takes {most}", 413)
            body, at = bytearray(length), 0
            until = time.monotonic() + IDLE_S + length / BYTES_A_SECOND
            with memoryview(body) as view:
                while at < length:
                    count = self.rfile.readinto(view[at : at + PIECE])
                    if not count:
                        raise Refused("bad_request", f"The body ends at {at} of {length} bytes")
                    at += count
                    if time.monotonic() > until:
                        raise Refused("too_slow", f"Only {at} of {length} bytes came in time", 408)
            self.unread = False
            return body

        def _send(self, status, parts, kind, chunked=False):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(sum(len(part) for part in parts)))
            # A client never meets a connection that this side closed while it lay idle.
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            for part in parts:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

        def _linger(self):
            """Take in some of a body that was refused: a client that still sends would not see why."""
            until, left = time.monotonic() + LINGER_S, LINGER_BYTES
            self.connection.settimeout(LINGER_S)
            while left > 0 and time.monotonic() < until:
                piece = self.rfile.read1(PIECE)
                if not piece:
                    return
                left -= len(piece)

        def _answer(self, run):
            try:
                self._respond(run)
                if self.unread:
                    self._linger()
            except OSError:
                self.close_connection = True  # the client is gone

        def _respond(self, run):
            try:
                self._allowed()
                reply = run()
            except Refused as error:
                return self._error(error.status, error.code, str(error))
            except OSError:
                raise
            except (torch.OutOfMemoryError, MemoryError):
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                self._error(507, "out_of_memory", f"Not enough memory: {MEMORY_ADVICE}")
                return self._unless_together()
            except Exception as error:  # a fault of the framework is an answer too, never a silence
                self._error(500, "failed", f"{type(error).__name__}: {error}")
                return self._unless_together()
            if isinstance(reply, Streamed):
                self._send(200, reply.parts, "application/json", chunked=True)
            elif isinstance(reply, dict):
                self._send(200, [json.dumps(reply, allow_nan=False).encode()], "application/json")
            else:
                self._send(200, reply, BINARY)

        def _unless_together(self):
            """One of several processes that stopped half-way holds up all: end, and let torchrun start them again."""
            if service.model.ranks.count > 1:
                os._exit(1)

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
                self.unread = True
                if self.path not in service.paths:
                    raise Refused("not_found", f"There is no {self.path}", 404)
                method, *most = service.paths[self.path]
                binary = BINARY in self.headers.get("Accept", "")
                if not bodies.acquire(timeout=TURN_S):
                    raise Refused("busy", "Other requests have gone before this one all the time", 503)
                try:
                    body = self._body(most[binary])
                    with service.lock:
                        if service.model.stopping.is_set():
                            raise Refused("stopping", "The sidecar is shutting down", 503)
                        return method(body, binary)
                finally:
                    bodies.release()

            self._answer(run)

    return Handler


def serve(model, data, args):
    """Serve until SIGTERM or SIGINT: a step that is under way is given up, and the weights are the base again."""
    service = Service(model, data, args)
    try:
        server = Server(args.host, args.port, handler(service, args.token))
    except OSError as error:
        model.ranks.tell("stop")
        raise Refused("no_port", f"Cannot listen on {args.host} port {args.port}: {error.strerror}; --port names "
                                 "another, 0 a free one, and the miner takes it as --trainer http://…") from error

    def stop(*_):
        model.stopping.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    many = f", {model.ranks.count} processes by {args.parallel}" if model.ranks.count > 1 else ""
    what = f"{model.name}, {model.total} parameters, {model.device}{many}"
    print(f"Sidecar listening on {server.url}: {what}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    with service.lock:
        model.ranks.tell("stop")
    settled = server.settled(LINGER_S)
    print("Sidecar stopped", flush=True)
    if not settled:
        os._exit(0)  # Python cannot end while another thread is in PyTorch's hands
