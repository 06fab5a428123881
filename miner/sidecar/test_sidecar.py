"""Run with `python test_sidecar.py`: needs PyTorch and transformers, and no network."""

import json
import os
import re
import unittest
from unittest import mock

import torch

import vram_trainer
from support import HERE, LONG, SHORT, a_file, ask_json, data_of, made, parse, serving
from vram_sidecar import checkpoint, wire
from vram_sidecar.data import Data, text_of
from vram_sidecar.hook import load_hook
from vram_sidecar.loss import IGNORED, padded
from vram_sidecar.refused import Refused

HOOK = """
import csv

def rows(dataset):
    with open(dataset) as file:
        return [{"id": int(row["id"]), "text": row["text"]} for row in csv.DictReader(file)]

def encode(row, tokenizer, seqlen):
    tokens = list(row["text"].encode())[: seqlen + 1]
    return tokens, [-100] * 4 + tokens[4:]  # the first four bytes are a prompt

def loss(logits, targets):
    counted = targets != -100
    chosen = logits.log_softmax(-1).gather(2, targets.clamp(min=0)[..., None])[..., 0]
    return -2 * chosen[counted].mean()  # twice the usual one
"""


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

    def test_padding_is_masked(self):
        inputs, targets, mask = padded([(LONG, None), (SHORT, [IGNORED] * 4 + SHORT[4:])])
        self.assertEqual(tuple(inputs.shape), (2, 32))
        self.assertEqual(mask.sum(1).tolist(), [32, 8])
        self.assertEqual(targets[0].tolist(), LONG[1:])
        self.assertEqual(targets[1].tolist(), [IGNORED] * 3 + SHORT[4:] + [IGNORED] * 24)

    def test_rows_without_a_target_are_refused(self):
        model = made()
        rows = [(SHORT, [IGNORED] * len(SHORT))]
        for work in (lambda: model.forward_loss(rows), lambda: model.train(rows, 1, 1e-3, 1, 2)):
            with self.assertRaises(Refused) as caught:
                work()
            self.assertEqual(caught.exception.code, "no_targets")

    def test_bfloat16_and_float16_are_near_float32_and_give_float32(self):
        rows = [(LONG, None), (SHORT, None)]
        wanted = made()
        gradient, _ = wanted.train(rows, 2, 1e-3, 1, 2)
        for dtype, scale in (("bfloat16", 1.0), ("float16", 65536.0)):
            model = made("--dtype", dtype)
            self.assertEqual((str(model.dtype), model.scale), (f"torch.{dtype}", scale))
            self.assertTrue(all(p.dtype == torch.float32 for _, p in model.params))
            self.assertAlmostEqual(model.forward_loss(rows), wanted.forward_loss(rows), delta=2e-2)
            found, _ = model.train(rows, 2, 1e-3, 1, 2)
            self.assertEqual(found.dtype, torch.float32)
            self.assertGreater(torch.cosine_similarity(found, gradient, 0).item(), 0.9, dtype)

    def test_float16_takes_a_smaller_scale_where_gradients_overflow(self):
        model = made("--dtype", "float16")
        model.scale = 2.0**40
        gradient, _ = model.train([(LONG, None)], 1, 1e-3, 1, 2)
        self.assertTrue(torch.isfinite(gradient).all())
        self.assertLess(model.scale, 2.0**40)


class Hooks(unittest.TestCase):
    def test_bring_their_own_format_encoding_and_objective(self):
        with a_file(HOOK, ".py") as path:
            hook = load_hook(path)
        with a_file("id,text\n1,what is a whale\n2,who is the captain\n", ".csv") as path:
            args = parse("--dataset", path, "--seqlen", "12", "--batch", "2")
            model = made("--batch", "2", hook=hook)
            data = Data(args, model, hook)
        self.assertEqual([row["id"] for row in data.rows], [1, 2])
        rows = data.batch(1, 2)
        self.assertEqual({len(tokens) for tokens, _ in rows}, {13})
        self.assertTrue(all(targets[:4] == [IGNORED] * 4 for _, targets in rows))
        self.assertAlmostEqual(model.forward_loss(rows), 2 * made().forward_loss(rows), places=4)
        with serving(model, data=data) as url:
            self.assertEqual(ask_json(url)[1]["dataset_rows"], 2)
            status, reply = ask_json(url, "/train", {"uid": 1, "window": 2})
            self.assertEqual((status, len(reply["gradient"])), (200, model.total))

    def test_as_the_readme_has_one(self):
        with open(os.path.join(HERE, "README.md")) as file:
            text = re.search(r"```python\n(.*?)```", file.read(), re.S)[1]
        with a_file(text, ".py") as path:
            hook = load_hook(path)
        tokenizer = lambda text: {"input_ids": list(text.encode())}
        with a_file("question,answer\nwho,ahab\n", ".csv") as path:
            (row,) = hook.rows(path)
        tokens, targets = hook.encode(row, tokenizer, 5)
        self.assertEqual((bytes(tokens), targets), (b"whoaha", [IGNORED] * 3 + list(b"aha")))
        loss = made(hook=hook).forward_loss([(tokens, targets)])
        self.assertAlmostEqual(loss, made().forward_loss([(tokens, targets)]), delta=0.5)

    def test_that_fail_cost_the_request_alone(self):
        for text, code in (
            ("def encode(row, tokenizer, seqlen):\n    raise KeyError('mine')", "failed"),
            ("def encode(row, tokenizer, seqlen):\n    return [1, 2, 3], [1]", "bad_row"),
            ("def encode(row, tokenizer, seqlen):\n    return [1, 2, 3], [1, 2, 999]", "bad_row"),
            ("def loss(logits, targets):\n    return logits.sum() * float('nan')", "non_finite"),
        ):
            with a_file(text, ".py") as path:
                hook = load_hook(path)
            model = made(hook=hook)
            with serving(model, data=data_of(model, [{"tokens": SHORT}], hook=hook)) as url:
                self.assertEqual(ask_json(url, "/train", {"uid": 1, "window": 2})[1]["error"], code, text)
                self.assertEqual(ask_json(url)[0], 200)

    def test_that_are_none_are_refused(self):
        for text in ("x = 1", "def f(:", "raise ValueError('x')"):
            with a_file(text, ".py") as path:
                self.assertRaises(Refused, load_hook, path)


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


    def test_checkpointing_and_small_parts_change_no_gradient(self):
        rows = [(LONG, None), (SHORT, None)]
        for spec in ("all", "last:1", "lora:2"):
            flags = ("--trainable", spec, "--gradient-checkpointing")
            wanted, _ = made(*flags, "off").train(rows, 2, 1e-3, 1, 2)
            model = made(*flags, "on")
            self.assertTrue(any(getattr(m, "gradient_checkpointing", False) for m in model.net.modules()))
            found, _ = model.train(rows, 2, 1e-3, 1, 2)
            self.assertLess((found - wanted).abs().max().item(), 1e-6, spec)


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

    def test_are_text_messages_or_instructions(self):
        self.assertEqual(text_of({"text": "a"}, None), "a")
        self.assertEqual(text_of({"messages": [{"content": "a"}, {"content": "b"}]}, None), "a\n\nb")
        wanted = "### Instruction\na\n\nb\n\n### Response\nc"
        self.assertEqual(text_of({"instruction": "a", "input": "b", "output": "c"}, None), wanted)
        tokenizer = mock.Mock(chat_template="x")
        text_of({"instruction": "a", "output": "c"}, tokenizer)
        turns = tokenizer.apply_chat_template.call_args[0][0]
        self.assertEqual([(t["role"], t["content"]) for t in turns], [("user", "a"), ("assistant", "c")])
        self.assertRaises(Refused, text_of, {"other": 1}, None)

    def test_of_files_that_are_no_dataset_are_refused_by_line(self):
        model = made()
        for text, why in (("{}\n{", "line 2 is not JSON"), ("", "it has no rows"), ("[1]\n", "one that is no object")):
            with a_file(text, ".jsonl") as path, self.assertRaisesRegex(Refused, why):
                Data(parse("--dataset", path), model, None)

    def test_come_from_an_address_too(self):
        model = made()
        with a_file(json.dumps({"tokens": SHORT}), ".jsonl") as path:
            args = parse("--dataset", "http://127.0.0.1:1/rows.jsonl")
            with mock.patch("urllib.request.urlopen", return_value=open(path, "rb")) as opened:
                data = Data(args, model, None)
            self.assertEqual(opened.call_args[0], ("http://127.0.0.1:1/rows.jsonl",))
        self.assertEqual(data.batch(1, 2), [(SHORT, None)])

    def test_outside_the_vocabulary_or_without_a_dataset_are_refused(self):
        model = made()
        self.assertRaises(Refused, data_of(model, [{"tokens": [1, 999]}]).batch, 1, 2)
        self.assertRaises(Refused, data_of(model, [{"tokens": [1] * 66}], "--seqlen", "99").batch, 1, 2)
        self.assertRaises(Refused, Data(model.args, model, None).batch, 1, 2)


class Http(unittest.TestCase):
    def ask(self, headers=None, body=None, path="/health", token="t"):
        with serving(made(), token) as url:
            return ask_json(url, path, body, headers)

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
