"""Run with `python test_package.py`: training what a network's model package says, from its weights."""

import importlib.util
import io
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

import torch
from transformers import GPT2Config

import vram_trainer
from support import HERE, ask_binary, ask_json, frame_of, serving
from vram_sidecar.model import TrainedModel
from vram_sidecar.packaged import Packaged
from vram_sidecar.refused import Refused

VECTORS = os.path.join(HERE, "../../tests/vectors/package")


def config(**more):
    shape = {"vocab_size": 128, "n_layer": 2, "n_embd": 8, "n_head": 2, "n_positions": 64, **more}
    return GPT2Config(**shape, bos_token_id=None, eos_token_id=None)


class Package(unittest.TestCase):
    """The recorded one of tests/vectors/package: a GPT-2 of which the last block is trained."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.architecture = os.path.join(folder.name, "architecture")
        self.package = os.path.join(folder.name, "package")
        config().save_pretrained(self.architecture)
        shutil.copytree(os.path.join(VECTORS, "tiny"), self.package)
        with open(os.path.join(VECTORS, "expected.json")) as file:
            self.expected = json.load(file)

    def made(self, *flags):
        return TrainedModel(vram_trainer.parse(["--package", self.package, "--device", "cpu", *flags]), None)

    def test_gives_gradients_of_its_trained_subset_from_its_own_weights(self):
        model = self.made("--model", self.architecture)
        with open(os.path.join(self.package, "base.safetensors"), "rb") as file:
            base = file.read()
        with open(os.path.join(self.package, "manifest.json")) as file:
            manifest = json.load(file)
        self.assertEqual(model.save(), base)
        self.assertEqual([n for n, _ in model.params], [p["name"] for p in manifest["parameters"] if p["trainable"]])
        with serving(model) as url:
            health = ask_json(url)[1]
            self.assertEqual((health["model"], health["package"]), (manifest["name"], manifest["hash"]))
            self.assertEqual(health["parameters"], model.total)
            self.assertGreater(health["all_parameters"], model.total)
            about, _ = ask_binary(url, "/load_checkpoint", raw=base)
            meta, data = frame_of(self.expected["pages"], about["base"], steps=10, lr=3e-3)
            loss = ask_binary(url, "/forward_loss", meta, data)[0]["loss"]
            self.assertAlmostEqual(loss, self.expected["loss"], places=5)
            frozen = [p.clone() for p in model.net.parameters() if not p.requires_grad]
            reply, gradient = ask_binary(url, "/train", meta, data)
            self.assertEqual(len(gradient), 4 * model.total)
            self.assertLess(reply["losses"][-1], reply["losses"][0])
            after = [p for p in model.net.parameters() if not p.requires_grad]
            self.assertTrue(all(torch.equal(a, b) for a, b in zip(frozen, after)))

    def test_names_its_own_architecture_where_it_has_one(self):
        with self.assertRaisesRegex(Refused, "has no config.json: name the architecture .* with --model"):
            self.made()
        shutil.copy(os.path.join(self.architecture, "config.json"), self.package)
        model = self.made()
        rows = [(page, None) for page in self.expected["pages"]]
        self.assertAlmostEqual(model.forward_loss(rows), self.expected["loss"], places=5)

    def test_another_architecture_is_refused_by_the_parameter_that_differs(self):
        config(n_layer=3).save_pretrained(self.architecture)
        with self.assertRaisesRegex(Refused, "other parameters than this architecture, e.g. h.2"):
            self.made("--model", self.architecture)
        config(n_embd=16).save_pretrained(self.architecture)
        with self.assertRaisesRegex(Refused, "other parameters"):
            self.made("--model", self.architecture)

    @unittest.skipUnless(importlib.util.find_spec("onnxruntime"), "needs onnxruntime")
    def test_an_architecture_of_the_same_parameters_is_refused_by_its_losses(self):
        config(layer_norm_epsilon=1.0).save_pretrained(self.architecture)
        with self.assertRaisesRegex(Refused, "losses differ from the package's graph"):
            self.made("--model", self.architecture)

    def test_without_onnxruntime_the_losses_are_not_compared(self):
        with mock.patch("vram_sidecar.export.run", side_effect=ImportError), \
             mock.patch("sys.stderr", new_callable=io.StringIO) as said:
            self.made("--model", self.architecture)
        self.assertIn("not compared with the package's graph", said.getvalue())

    def test_a_changed_byte_of_any_file_is_refused_by_name(self):
        for name in ("graph.onnx", "base.safetensors", "frozen.safetensors"):
            path = os.path.join(self.package, name)
            with open(path, "rb") as file:
                data = file.read()
            for changed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], data + b"x"):
                with open(path, "wb") as file:
                    file.write(changed)
                with self.assertRaisesRegex(Refused, f"{name} is not the file that manifest.json describes"):
                    Packaged(self.package)
            with open(path, "wb") as file:
                file.write(data)
        Packaged(self.package)

    def test_a_manifest_that_lies_is_refused(self):
        path = os.path.join(self.package, "manifest.json")
        with open(path) as file:
            manifest = json.load(file)
        for change in ({"hash": "00" * 32}, {"dimensions": {**manifest["dimensions"], "context": 32}}):
            with open(path, "w") as file:
                json.dump({**manifest, **change}, file)
            with self.assertRaisesRegex(Refused, "names the hash"):
                Packaged(self.package)
        for text in ("{}", "[", "[]", json.dumps({**manifest, "parameters": 3}), json.dumps({**manifest, "files": {}})):
            with open(path, "w") as file:
                file.write(text)
            with self.assertRaises(Refused) as caught:
                Packaged(self.package)
            self.assertEqual(caught.exception.code, "bad_package")


if __name__ == "__main__":
    unittest.main()
