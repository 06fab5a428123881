"""Run with `python test_serving.py`: the server's bounds, its answers to faults, and how it ends."""

import base64
import hashlib
import signal
import socket
import threading
import time
import unittest
from unittest import mock
from urllib.parse import urlsplit

import torch

from support import LONG, ask_binary, ask_json, data_of, frame_of, made, serving, started
from vram_sidecar import server as http
from vram_sidecar import service as paths
from vram_sidecar import wire
from vram_sidecar.refused import Refused


def raw(url, data, close=True):
    """What the server answers to these very bytes, as far as it does."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    return reply


def head(path, length, *more):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more, "", ""]).encode()


class Faults(unittest.TestCase):
    """After every one of them the same process answers with the same weights."""

    def setUp(self):
        self.model = made()
        context = serving(self.model)
        self.url = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.base = self.model.save()
        self.hash = self.model.base

    def tearDown(self):
        health = ask_json(self.url)[1]
        self.assertEqual((health["status"], health["instance"]), ("ok", self.model.instance))
        self.assertFalse(health["progress"]["busy"])
        self.assertEqual(self.model.save(), self.base)

    def refused(self, path, meta=None, data=b"", raw=None):
        return ask_binary(self.url, path, meta, data, raw)[0].get("error")

    def test_half_a_body(self):
        said = raw(self.url, head("/load_checkpoint", 1000) + b"half")
        self.assertIn(b"bad_request", said)
        self.assertIn(b"ends at 4 of 1000", said)

    def test_a_body_that_is_too_large_is_not_read(self):
        size = 64 << 20
        started_at = time.monotonic()
        said = raw(self.url, head("/train", size) + bytes(1 << 20))
        self.assertIn(b"413", said.split(b"\r\n")[0])
        self.assertIn(b"too_large", said)
        self.assertLess(time.monotonic() - started_at, 20)
        self.assertEqual(self.refused("/apply_gradient", raw=bytes(4 * self.model.total + (1 << 20))), "too_large")

    def test_a_length_that_is_none(self):
        for length in ("-1", "x", "²", "9" * 400, ""):
            self.assertIn(b"length_required", raw(self.url, head("/train", length)), length)
        chunked = b"POST /train HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        self.assertIn(b"length_required", raw(self.url, chunked))

    def test_what_is_no_http(self):
        raw(self.url, b"\x00\xff\r\n\r\n")
        raw(self.url, b"")

    def test_a_client_that_is_gone_before_the_answer(self):
        parts = urlsplit(self.url)
        meta, data = frame_of([LONG], self.hash, steps=3, lr=1e-3)
        body = b"".join(wire.encode(meta, data))
        for _ in range(3):
            with socket.create_connection((parts.hostname, parts.port)) as connection:
                connection.sendall(head("/train", len(body), "Accept: application/octet-stream") + body)
        until = time.monotonic() + 30
        while ask_json(self.url)[1]["progress"]["busy"] and time.monotonic() < until:
            time.sleep(0.05)

    def test_wrong_lengths(self):
        for file in (self.base[:-4], self.base + bytes(4), b""):
            self.assertEqual(self.refused("/load_checkpoint", raw=file), "wrong_size")
        meta, data = frame_of([LONG], self.hash, steps=1, lr=1e-3)
        self.assertEqual(self.refused("/train", meta, data[:-4]), "wrong_size")
        self.assertEqual(self.refused("/train", {**meta, "rows": 2}, data), "wrong_size")
        gradient = bytes(4 * self.model.total - 4)
        about = {"base": self.hash, "beta": 1.0, "sha256": hashlib.sha256(gradient).hexdigest()}
        self.assertEqual(self.refused("/apply_gradient", about, gradient), "wrong_size")

    def test_numbers_that_are_not_finite(self):
        bad = self.base[:-4] + b"\x00\x00\xc0\x7f"
        self.assertEqual(self.refused("/load_checkpoint", raw=bad), "non_finite")
        gradient = bytes(4 * self.model.total - 4) + b"\x00\x00\x80\x7f"
        about = {"base": self.hash, "beta": 1.0, "sha256": hashlib.sha256(gradient).hexdigest()}
        self.assertEqual(self.refused("/apply_gradient", about, gradient), "non_finite")
        self.assertEqual(self.refused("/apply_gradient", {**about, "beta": 1e300}, gradient), "bad_request")
        meta, data = frame_of([LONG], self.hash, steps=30, lr=1e3)
        self.assertEqual(self.refused("/train", meta, data), "non_finite")

    def test_other_pages_weights_and_tokens(self):
        meta, data = frame_of([LONG], self.hash, steps=1, lr=1e-3)
        self.assertEqual(self.refused("/train", {**meta, "sha256": "00"}, data), "wrong_batch")
        self.assertEqual(self.refused("/train", {**meta, "base": "00"}, data), "wrong_base")
        for page, code in (([1, 256], "token_out_of_range"), ([1] * 66, "too_long")):
            meta, data = frame_of([page], self.hash, steps=1, lr=1e-3)
            self.assertEqual(self.refused("/forward_loss", meta, data), code)

    def test_json_that_is_too_deep(self):
        self.assertEqual(ask_json(self.url, "/train", b"[" * 60_000)[1]["error"], "bad_request")
        self.assertEqual(self.refused("/train", raw=b"\x60\xea\x00\x00" + b"[" * 60_000), "bad_frame")

    def test_a_fault_of_the_framework_is_an_answer(self):
        meta, data = frame_of([LONG], self.hash, steps=1, lr=1e-3)
        for fault, code in ((torch.OutOfMemoryError("x"), "out_of_memory"), (RuntimeError("x"), "failed")):
            with mock.patch.object(self.model.shards, "gradient_norm", side_effect=fault):
                answer = ask_binary(self.url, "/train", meta, data)[0]
            self.assertEqual(answer["error"], code)
        self.assertIn("failed", str(answer))

    def test_more_connections_than_there_is_room_for(self):
        parts = urlsplit(self.url)
        open_ones = [socket.create_connection((parts.hostname, parts.port)) for _ in range(http.MAX_CONNECTIONS)]
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until and raw_or_nothing(self.url) != b"":
                time.sleep(0.05)
            self.assertEqual(raw_or_nothing(self.url), b"")
        finally:
            for connection in open_ones:
                connection.close()
        until = time.monotonic() + 10
        while raw_or_nothing(self.url) == b"" and time.monotonic() < until:
            time.sleep(0.05)


def raw_or_nothing(url):
    try:
        return raw(url, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", close=False)
    except OSError:
        return b""


class Answers(unittest.TestCase):
    def test_the_seeds_json_in_parts_is_the_binary_answer(self):
        model = made("--batch", "1", "--lr", "0.001")
        data = data_of(model, [{"tokens": LONG}])
        with mock.patch.object(paths, "JSON_FLOATS", 1000), mock.patch.object(paths, "BASE64_BYTES", 999):
            with serving(model, data=data) as url:
                base = model.save()
                self.assertEqual(base64.b64decode(ask_json(url, "/save_checkpoint", {})[1]["data"]), base)
                reply = ask_json(url, "/train", {"uid": 1, "window": 2})[1]
                self.assertEqual(set(reply), {"gradient", "loss"})
                text = base64.b64encode(base).decode()
                self.assertEqual(ask_json(url, "/load_checkpoint", {"data": text})[1], {"ok": True})
                meta, pages = frame_of([LONG], model.base, steps=1, lr=1e-3)
                about, gradient = ask_binary(url, "/train", meta, pages)
                theirs = torch.frombuffer(bytearray(gradient), dtype=torch.float32)
                self.assertTrue(torch.equal(torch.tensor(reply["gradient"], dtype=torch.float32), theirs))
                self.assertEqual(reply["loss"], about["loss"])
                loss = ask_json(url, "/forward_loss", {"uid": 1, "window": 2})[1]["loss"]
                self.assertAlmostEqual(loss, about["loss"], places=5)

    def test_health_says_how_far_a_step_is(self):
        model = made()
        with serving(model) as url:
            model.save()
            idle = ask_json(url)[1]
            self.assertEqual((idle["processes"], idle["progress"]["busy"]), (1, False))
            self.assertNotIn("vram_used_gb", idle)
            meta, data = frame_of([LONG], model.base, steps=200, lr=1e-4)
            working = threading.Thread(target=ask_binary, args=(url, "/train", meta, data))
            working.start()
            seen = []
            while working.is_alive():
                seen.append(ask_json(url)[1]["progress"])
            working.join()
        busy = [p for p in seen if p["busy"] and p["step"] > 0]
        self.assertTrue(busy)
        self.assertEqual({(p["uid"], p["window"], p["steps"]) for p in busy}, {(1, 2, 200)})
        self.assertEqual([p["step"] for p in busy], sorted(p["step"] for p in busy))
        self.assertTrue(all(p["loss"] > 0 and p["seconds"] > 0 for p in busy))

    def test_gpu_memory_is_in_health(self):
        with mock.patch("torch.cuda.mem_get_info", return_value=(20 * 10**9, 80 * 10**9)), \
             mock.patch("torch.cuda.max_memory_allocated", return_value=55 * 10**9):
            found = paths.gpu_memory(torch.device("cuda", 0))
        self.assertEqual(found, {"vram_used_gb": 60.0, "vram_total_gb": 80.0, "vram_peak_gb": 55.0})
        self.assertEqual(paths.gpu_memory(torch.device("cpu")), {})

    def test_a_request_waits_for_its_turn_without_its_body(self):
        model = made()
        with serving(model) as url:
            base = model.save()
            with mock.patch.object(http, "TURN_S", 0.2), mock.patch.object(model, "load") as load:
                release = threading.Event()
                load.side_effect = lambda _file: release.wait(30)
                words = (url, "/load_checkpoint", None, b"", base)
                waiting = [threading.Thread(target=ask_binary, args=words) for _ in range(2)]
                for thread in waiting:
                    thread.start()
                    time.sleep(0.3)
                self.assertEqual(ask_binary(url, "/load_checkpoint", raw=base)[0]["error"], "busy")
                release.set()
                for thread in waiting:
                    thread.join()


class Ends(unittest.TestCase):
    def test_by_sigterm_in_mid_step_and_says_so(self):
        with started("--model", "vramhub:tiny", "--batch", "1") as (process, url):
            base = bytes(ask_binary(url, "/save_checkpoint")[1])
            about, _ = ask_binary(url, "/load_checkpoint", raw=base)
            meta, data = frame_of([LONG], about["base"], steps=1_000_000, lr=1e-6)
            answers = []
            working = threading.Thread(target=lambda: answers.append(ask_binary(url, "/train", meta, data)[0]))
            working.start()
            while not ask_json(url)[1]["progress"]["busy"]:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=30), 0)
            working.join(timeout=30)
            self.assertEqual(answers[0]["error"], "stopping")
            self.assertIn("Sidecar stopped", process.stdout.read())

    def test_a_stopped_step_leaves_the_weights(self):
        model = made()
        base = model.save()
        model.stopping.set()
        with self.assertRaises(Refused) as caught:
            model.train([(LONG, None)], 5, 1e-3, 1, 2)
        self.assertEqual(caught.exception.code, "stopping")
        self.assertEqual(model.save(), base)


if __name__ == "__main__":
    unittest.main()
