"""What the tests share: a tiny model, a sidecar in this process or in one of its own, and both dialects."""

import contextlib
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

import vram_trainer
from vram_sidecar import wire
from vram_sidecar.data import Data
from vram_sidecar.model import TrainedModel
from vram_sidecar.server import Server, handler
from vram_sidecar.service import BINARY, Service

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = [i * i % 251 for i in range(33)]
SHORT = [i * 7 % 251 for i in range(9)]


def parse(*flags):
    return vram_trainer.parse(["--model", "vramhub:tiny", "--device", "cpu", *flags])


def made(*flags, hook=None):
    return TrainedModel(parse(*flags), hook)


@contextlib.contextmanager
def a_file(text, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"file{suffix}")
        with open(path, "w") as file:
            file.write(text)
        yield path


def data_of(model, rows, *flags, hook=None):
    with a_file("\n".join(json.dumps(row) for row in rows), ".jsonl") as path:
        return Data(parse("--dataset", path, *flags), model, hook)


@contextlib.contextmanager
def serving(model, token=None, data=None):
    """The address of a sidecar in a thread."""
    service = Service(model, data or Data(model.args, model, None), model.args)
    server = Server("127.0.0.1", 0, handler(service, token))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(url, path="/health", body=None, headers=None):
    """(status, body) of a request; GET where there is no body."""
    try:
        request = urllib.request.Request(url + path, data=body, headers=headers or {})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def ask_json(url, path="/health", body=None, headers=None):
    raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    status, text = ask(url, path, raw, headers)
    return status, json.loads(text)


def ask_binary(url, path, meta=None, data=b"", raw=None):
    """The object and the data of the answer; an error's object has `error`."""
    body = b"".join([*wire.encode(meta or {}, data)]) if raw is None else raw
    status, reply = ask(url, path, body, {"Accept": BINARY})
    return wire.decode(reply) if status == 200 else (json.loads(reply), b"")


def frame_of(pages, base, **more):
    """What /train and /forward_loss take in the binary dialect: the object and the data."""
    data = b"".join(struct.pack(f"<{len(page)}I", *page) for page in pages)
    shape = {"rows": len(pages), "tokens": len(pages[0]), "sha256": hashlib.sha256(data).hexdigest()}
    return {"uid": 1, "window": 2, "base": base, **shape, **more}, data


def environment(**more):
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **more}


@contextlib.contextmanager
def started(*flags, before=(), env=None):
    """(process, address) of a sidecar in a process of its own; `before` its script come e.g. torchrun's words."""
    command = [sys.executable, *before, os.path.join(HERE, "vram_trainer.py"), "--port", "0", "--device", "cpu", *flags]
    process = subprocess.Popen(
        command, env=environment(**(env or {})), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    reader = threading.Thread(target=process.stderr.read, daemon=True)
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+?:\d+", line)
        if found is None:
            raise AssertionError(f"The sidecar did not start: {line}{process.stderr.read()}")
        # What it says must not fill the pipe.
        reader.start()
        yield process, found[0]
    finally:
        # torchrun ends its processes, which are in no group of ours, when it is asked to and not when it is killed.
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader.ident is not None:
            reader.join()
        process.stdout.close()
        process.stderr.close()
