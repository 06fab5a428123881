"""Run with `python test_export.py`: needs PyTorch, transformers, onnx, onnxscript and onnxruntime, and no network."""

import json
import os
import tempfile
import unittest

import torch
from transformers import AutoModelForCausalLM, Gemma2Config, GPT2Config, LlamaConfig

import vram_trainer
from vram_sidecar import export as exporter
from vram_sidecar.export import build, describe, export, reference
from vram_sidecar.model import TrainedModel, open_model
from vram_sidecar.refused import Refused
from vram_sidecar.trainable import Subset

SMALL = dict(vocab_size=64, bos_token_id=None, eos_token_id=None, pad_token_id=None)
LAYERS = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
              num_key_value_heads=1, max_position_embeddings=32)


def gpt2(**more):
    return made(GPT2Config(n_layer=2, n_embd=16, n_head=2, n_positions=32, **SMALL, **more))


def llama():
    return made(LlamaConfig(**SMALL, **LAYERS))


def made(config):
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).float().eval()


class Trainable(unittest.TestCase):
    def test_all_of_a_tied_model_has_no_head_of_its_own(self):
        subset = Subset(gpt2(), "all")
        self.assertEqual(subset.frozen, [])
        self.assertIn("wte.weight", subset.trainable)
        self.assertEqual(subset.trainable, sorted(subset.trainable))
        self.assertFalse([name for name in subset.trainable if "lm_head" in name])

    def test_last_blocks_are_counted_from_the_end(self):
        subset = Subset(gpt2(), "last:1")
        self.assertTrue(all(name.startswith("h.1.") for name in subset.trainable))
        self.assertFalse([name for name in subset.frozen if name.startswith("h.1.")])
        self.assertEqual(len(Subset(llama(), "last:2").trainable), 18)

    def test_lora_starts_as_the_model_and_changes_it_through_both_matrices(self):
        for net in (gpt2(), llama()):
            subset = Subset(net, "lora:2")
            self.assertTrue(all(name.endswith((".lora_A", ".lora_B")) for name in subset.trainable))
            own = dict(net.named_parameters())
            self.assertTrue(all(torch.equal(own[n], t) for n, t in subset.in_force(subset.tensors).items()))
            changed = {n: t + 1 if n.endswith("lora_B") else t for n, t in subset.tensors.items()}
            self.assertFalse(all(torch.equal(own[n], t) for n, t in subset.in_force(changed).items()))

    def test_refuses_what_the_model_does_not_have(self):
        for spec in ("last:0", "last:3", "lora:99", "first:1", "lora"):
            self.assertRaises(Refused, Subset, gpt2(), spec)


class Export(unittest.TestCase):
    def test_losses_are_pytorchs_for_several_architectures(self):
        for net in (gpt2(), llama(), made(Gemma2Config(head_dim=8, **SMALL, **LAYERS))):
            _, apart = build(net, Subset(net, "all"), 16, 2)
            self.assertLess(apart, 1e-4)

    def test_chunks_of_rows_make_no_difference(self):
        before, exporter.CHUNK_ROWS = exporter.CHUNK_ROWS, 5
        try:
            _, apart = build(gpt2(), Subset(gpt2(), "all"), 16, 2)
        finally:
            exporter.CHUNK_ROWS = before
        self.assertLess(apart, 1e-4)

    def test_a_step_of_lora_through_the_graph_is_a_step_of_the_model(self):
        import onnxruntime

        net = gpt2()
        subset = Subset(net, "lora:2")
        graph, _ = build(net, subset, 16, 2)
        tensors = {n: t + 0.05 if n.endswith("lora_B") else t for n, t in subset.tensors.items()}
        pages = torch.randint(0, 64, (2, 17), generator=torch.Generator().manual_seed(1))
        feeds = {"tokens": pages[:, :-1].numpy().copy(), "targets": pages[:, 1:].numpy().copy()}
        feeds.update({n: t.numpy() for n, t in tensors.items()})
        (given,) = onnxruntime.InferenceSession(graph).run(["losses"], feeds)
        with torch.no_grad():
            own = dict(net.named_parameters())
            for name, tensor in subset.in_force(tensors).items():
                own[name].copy_(tensor)
            wanted = reference(net, pages[:, :-1].contiguous(), pages[:, 1:].contiguous())
        self.assertLess((torch.from_numpy(given) - wanted).abs().max().item(), 1e-4)

    def test_nothing_is_written_where_the_losses_differ(self):
        run = exporter.run
        exporter.run = lambda graph, feeds: run(graph, feeds) + 1e-3
        try:
            with tempfile.TemporaryDirectory() as folder:
                out = os.path.join(folder, "package")
                with self.assertRaises(Refused) as caught:
                    export(gpt2(), "x", out, context=16, batch=2)
                self.assertEqual(caught.exception.code, "losses_differ")
                self.assertEqual(os.listdir(folder), [])
        finally:
            exporter.run = run

    def test_refuses_a_context_beyond_the_model_and_a_folder_that_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertRaises(Refused, export, gpt2(), "x", os.path.join(folder, "p"), context=64)
            self.assertRaises(Refused, export, gpt2(), "x", folder, context=16)

    def test_what_is_exported_is_what_the_sidecar_trains(self):
        with tempfile.TemporaryDirectory() as folder:
            llama().config.save_pretrained(folder)
            for spec in ("all", "last:1", "lora:2"):
                flags = ["--model", folder, "--device", "cpu", "--seed", "3", "--trainable", spec]
                trained = TrainedModel(vram_trainer.parse(flags), None)
                out = os.path.join(folder, spec.replace(":", ""))
                export(open_model(folder, 3), "x", out, spec, context=16, batch=2, seed=3)
                with open(os.path.join(out, "base.safetensors"), "rb") as file:
                    self.assertEqual(trained.save(), file.read())

    def test_a_sidecar_needs_nothing_but_the_package(self):
        with tempfile.TemporaryDirectory() as folder:
            net = llama()
            out = os.path.join(folder, "package")
            export(net, "x", out, "lora:2", context=16, batch=2, seed=3)
            flags = ["--package", out, "--device", "cpu"]
            trained = TrainedModel(vram_trainer.parse(flags), None)
            with open(os.path.join(out, "base.safetensors"), "rb") as file:
                self.assertEqual(trained.save(), file.read())
            page = [i * 7 % 64 for i in range(17)]
            tokens = torch.tensor([page])
            with torch.no_grad():
                wanted = reference(net, tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()).mean().item()
            self.assertAlmostEqual(trained.forward_loss([(page, None)]), wanted, places=5)
            with open(os.path.join(out, "config.json")) as file:
                self.assertNotIn(folder, file.read())
            with open(os.path.join(out, "config.json"), "a") as file:
                file.write(" ")
            with self.assertRaisesRegex(Refused, "config.json is not the file that manifest.json describes"):
                TrainedModel(vram_trainer.parse(flags), None)

    def test_describes_from_the_configuration_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            llama().config.save_pretrained(folder)
            found = describe(folder, "lora:2", 16, 2)
        self.assertEqual(found["dimensions"]["vocab"], 64)
        subset = Subset(llama(), "lora:2")
        wanted = {n: list(t.shape) for n, t in subset.tensors.items()}
        self.assertEqual({p["name"]: p["shape"] for p in found["parameters"]}, wanted)
        self.assertEqual([p["name"] for p in found["parameters"] if p["trainable"]], subset.trainable)
        json.dumps(found)


if __name__ == "__main__":
    unittest.main()
