"""Run with `python test_ranks.py`: two processes of torchrun on the CPU, over gloo, train as one does."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import torch

import vram_sidecar.model
from support import ask_binary, ask_json, environment, frame_of, made, parse, started
from vram_sidecar.model import TrainedModel
from vram_sidecar.ranks import Ranks
from vram_sidecar.shards import local

TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d", "--rdzv-endpoint",
            "localhost:0")
PAGES = [[(i * i + 7 * row) % 251 for i in range(33)] for row in range(3)]


def floats(data):
    return torch.frombuffer(bytearray(data), dtype=torch.float32)


class Together(unittest.TestCase):
    def compare(self, engine, end, *flags):
        alone = made("--batch", "3", *flags)
        base = alone.save()
        rows = [(page, None) for page in PAGES]
        wanted, losses = alone.train(rows, 3, 1e-3, 1, 2)
        one, one_losses = alone.train(rows[:1], 1, 1e-3, 1, 2)
        loss = alone.forward_loss(rows)
        model = ("--model", "vramhub:tiny", "--batch", "3", "--parallel", engine, *flags)
        with started(*model, before=TORCHRUN) as (process, url):
            self.assertEqual(ask_json(url)[1]["processes"], 2)
            self.assertEqual(bytes(ask_binary(url, "/save_checkpoint")[1]), base)
            about, _ = ask_binary(url, "/load_checkpoint", raw=base)
            meta, data = frame_of(PAGES, about["base"], steps=3, lr=1e-3)
            reply, gradient = ask_binary(url, "/train", meta, data)
            self.assertAlmostEqual(ask_binary(url, "/forward_loss", meta, data)[0]["loss"], loss, places=5)
            for a, b in zip(reply["losses"], losses):
                self.assertAlmostEqual(a, b, places=5)
            self.assertLess((floats(gradient) - wanted).abs().max().item(), 1e-6)
            # Fewer rows than processes: one of them has nothing to add.
            less, data_of_one = frame_of(PAGES[:1], about["base"], steps=1, lr=1e-3)
            reply, gradient = ask_binary(url, "/train", less, data_of_one)
            self.assertAlmostEqual(reply["loss"], one_losses[0], places=5)
            self.assertLess((floats(gradient) - one).abs().max().item(), 1e-6)
            # What one refuses all refuse, and go on.
            refused, _ = ask_binary(url, "/train", {**meta, "steps": 50, "lr": 1e3}, data)
            self.assertEqual(refused["error"], "non_finite")
            self.assertEqual(bytes(ask_binary(url, "/save_checkpoint")[1]), base)
            self.assertEqual(ask_binary(url, "/train", meta, data)[0]["base"], about["base"])
            end(process)

    def test_by_ddp_until_they_are_asked_to_end(self):
        def end(process):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            self.assertIn("Sidecar stopped", process.stdout.read())

        self.compare("ddp", end)

    def test_by_fsdp_with_low_rank_matrices_and_checkpointing_until_one_fails(self):
        def end(process):
            found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
            os.kill(int(found.stdout.split()[1]), signal.SIGKILL)
            self.assertNotEqual(process.wait(timeout=60), 0)

        self.compare("fsdp", end, "--trainable", "lora:2", "--gradient-checkpointing", "on")

    def test_gradients_are_those_of_the_joint_batch(self):
        """What the optimiser sees, before it is scaled: rows of other lengths, so that no share is the mean of all."""
        with tempfile.TemporaryDirectory() as folder:
            joint = gradients(TrainedModel(parse("--batch", "3"), None))
            for engine in ("ddp", "fsdp"):
                out = os.path.join(folder, engine)
                command = [sys.executable, *TORCHRUN, __file__, "--worker", out, engine]
                done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertGreater(joint.norm().item(), 0.1)
                self.assertLess((torch.load(out) - joint).abs().max().item(), 1e-6, engine)


def gradients(model):
    """Of three rows of which one is short and one has targets in its second half alone."""
    rows = [(PAGES[0], None), (PAGES[1][:9], None), (PAGES[2], [-100] * 20 + PAGES[2][20:])]
    with mock.patch.object(vram_sidecar.model, "MAX_NORM", 1e30):
        model._backward(rows)
    return model.shards.gather([local(p.grad) for _, p in model.params])


def work(out, engine):
    with Ranks.join("cpu") as ranks:
        found = gradients(TrainedModel(parse("--batch", "3", "--parallel", engine), None, ranks))
        if ranks.rank == 0:
            torch.save(found, out)


if __name__ == "__main__":
    work(*sys.argv[2:]) if sys.argv[1:2] == ["--worker"] else unittest.main()
