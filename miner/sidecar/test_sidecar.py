"""Run with `python test_sidecar.py`: needs PyTorch and transformers, and no network."""

import json
import os
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import torch

import vram_trainer
from vram_sidecar import checkpoint, wire
from vram_sidecar.data import Data
from vram_sidecar.hook import load_hook
from vram_sidecar.model import IGNORED, TrainedModel
from vram_sidecar.refused import Refused
from vram_sidecar.server import Service, handler

LONG = [i * i % 251 for i in range(33)]
SHORT = [i * 7 % 251 for i in range(9)]


def made(*flags, hook=None):
    return TrainedModel(vram_trainer.parse(["--model", "vramhub:tiny", "--device", "cpu", *flags]), hook)


def data_of(model, rows, *flags, hook=None):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        file.write("\n".join(json.dumps(row) for row in rows))
    try:
        args = vram_trainer.parse(["--model", "vramhub:tiny", "--dataset", file.name, *flags])
        return Data(args, model, hook)
    finally:
        os.remove(file.name)


class Loss(unittest.TestCase):
    def test_labels_are_shifted_once(self):
        model = made()
        ids = torch.tensor([LONG])
        with torch.no_grad():
            theirs = model.net(input_ids=ids, labels=ids).loss.item()
        self.assertAlmostEqual(model.forward_loss([(LONG, None)]), theirs, places=5)

    def test_padding_counts_for_nothing(self):
        model = made()
        long, short = (model.forward_loss([(row, None)]) for row in (LONG, SHORT))
        both = model.forward_loss([(LONG, None), (SHORT, None)])
        self.assertAlmostEqual(both, (32 * long + 8 * short) / 40, places=5)

    def test_a_hook_encodes_and_judges(self):
        with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
            file.write("def encode(row, tokenizer, seqlen):\n"
                       "    tokens = row['bytes'][:seqlen + 1]\n"
                       "    return tokens, [-100] * 4 + tokens[4:]\n"
                       "def loss(logits, targets):\n"
                       "    return (targets == -100).float().sum() + 0 * logits.sum()\n")
        hook = load_hook(file.name)
        os.remove(file.name)
        model = made(hook=hook)
        rows = data_of(model, [{"bytes": SHORT, "tokens": []}], hook=hook).batch(1, 2)
        self.assertEqual(rows, [(SHORT, [IGNORED] * 4 + SHORT[4:])])
        self.assertEqual(model.loss(rows).item(), 3)


class Training(unittest.TestCase):
    def test_lowers_the_loss_and_leaves_the_weights(self):
        model = made()
        before = model.save()
        gradient, losses = model.train([(LONG, None)], 20, 3e-3, 1, 2)
        self.assertLess(losses[-1], losses[0])
        self.assertEqual(model.save(), before)
        model.apply(gradient.numpy().tobytes(), 1.0)
        self.assertLess(model.forward_loss([(LONG, None)]), losses[-1])

    def test_a_loss_that_is_not_finite_is_refused_and_the_weights_stay(self):
        model = made()
        before = model.save()
        with self.assertRaises(Refused):
            model.train([(LONG, None)], 30, 1e30, 1, 2)
        self.assertEqual(model.save(), before)
        self.assertFalse(model.progress["busy"])


class Subsets(unittest.TestCase):
    def test_only_what_is_trained_is_in_a_gradient_and_a_checkpoint(self):
        whole = made()
        for spec in ("last:1", "lora:2"):
            model = made("--trainable", spec)
            self.assertLess(model.total, whole.total)
            before = model.save()
            gradient, losses = model.train([(LONG, None)], 20, 1e-2, 1, 2)
            self.assertEqual(gradient.numel(), model.total)
            self.assertLess(losses[-1], losses[0])
            self.assertEqual(model.save(), before)
            model.apply(gradient.numpy().tobytes(), 1.0)
            self.assertLess(model.forward_loss([(LONG, None)]), losses[-1] + 1e-3)
            model.load(before)
            self.assertEqual(model.save(), before)

    def test_untrained_low_rank_matrices_change_nothing(self):
        self.assertAlmostEqual(
            made("--trainable", "lora:2").forward_loss([(LONG, None)]), made().forward_loss([(LONG, None)]), places=6,
        )


class Checkpoint(unittest.TestCase):
    def test_is_what_safetensors_writes(self):
        from safetensors.torch import load, save

        model = made()
        tensors = {name: p.detach().clone() for name, p in model.params}
        theirs = load(model.save())
        self.assertTrue(all(torch.equal(theirs[name], p) for name, p in tensors.items()))
        self.assertEqual(len(save(tensors)), len(model.save()))

    def test_of_another_model_is_refused(self):
        header = checkpoint.header_of([("a", (2,))])
        self.assertEqual(len(checkpoint.data_of(header, 2, header + bytes(8))), 8)
        for file in (header, header + bytes(12), header.replace(b'"a"', b'"b"') + bytes(8)):
            self.assertRaises(Refused, checkpoint.data_of, header, 2, file)


class Rows(unittest.TestCase):
    def test_are_drawn_by_miner_and_window_without_replacement(self):
        model = made()
        data = data_of(model, [{"tokens": [i, i + 1]} for i in range(50)], "--batch", "8")
        one = data.batch(1, 2)
        self.assertEqual(one, data.batch(1, 2))
        self.assertNotEqual(one, data.batch(2, 2))
        self.assertEqual(len({tuple(tokens) for tokens, _ in one}), 8)

    def test_outside_the_vocabulary_or_without_a_dataset_are_refused(self):
        model = made()
        self.assertRaises(Refused, data_of(model, [{"tokens": [1, 999]}]).batch, 1, 2)
        self.assertRaises(Refused, Data(model.args, model, None).batch, 1, 2)


class Http(unittest.TestCase):
    def ask(self, headers=None, body=None, path="/health", token="t"):
        model = made()
        service = Service(model, Data(model.args, model, None), model.args)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(service, token))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}{path}"
            request = urllib.request.Request(url, data=body, headers=headers or {})
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        finally:
            server.shutdown()
            server.server_close()

    def test_needs_the_token_and_serves_no_browser(self):
        self.assertEqual(self.ask()[0], 401)
        self.assertEqual(self.ask({"Authorization": "Bearer x"})[0], 401)
        given = {"Authorization": "Bearer t"}
        self.assertEqual(self.ask(given)[1]["parameters"], 120576)
        self.assertEqual(self.ask({**given, "Origin": "http://x"})[0], 403)

    def test_refuses_bodies_that_are_no_requests(self):
        for path, body, code in (
            ("/train", b"[]", "bad_request"),
            ("/train", b'{"uid": -1, "window": 0}', "bad_request"),
            ("/train", b'{"uid": 1, "window": 0}', "no_dataset"),
            ("/load_checkpoint", b'{"data": "?"}', "bad_request"),
            ("/load_checkpoint", b'{"data": "AAAA"}', "wrong_size"),
            ("/apply_gradient", b"{}", "binary_only"),
            ("/other", b"{}", "not_found"),
        ):
            self.assertEqual(self.ask(path=path, body=body, token=None)[1]["error"], code, path)
        binary = {"Accept": "application/octet-stream"}
        frame = b"".join(wire.encode({"base": "00"}))
        for body, code in ((b"", "bad_frame"), (b"\xff\xff\xff\xff", "bad_frame"), (frame, "wrong_base")):
            self.assertEqual(self.ask(binary, body, "/train", None)[1]["error"], code)


if __name__ == "__main__":
    unittest.main()
