"""Run with `python test_cli.py`: the flags, what is said of wrong ones, and the package that pip installs."""

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import vram_trainer
from support import HERE, environment
from vram_sidecar import cli

SEEDS = ("--model", "--dataset", "--device", "--dtype", "--batch", "--seqlen", "--port", "--lr", "--use-8bit-adam")


def said(*flags):
    """What a refused command says in its last line."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        try:
            cli.main(list(flags))
        except SystemExit as error:
            return str(error.code) if isinstance(error.code, str) else err.getvalue().strip().split("\n")[-1]
    raise AssertionError(f"{flags} were taken")


class Flags(unittest.TestCase):
    def test_the_seeds_are_taken(self):
        line = "--model gpt2 --dataset fineweb --device cuda:1 --dtype bfloat16 --batch 2 --seqlen 2048"
        args = vram_trainer.parse([*line.split(), "--port", "17070", "--lr", "1e-4"])
        self.assertEqual((args.model, args.dataset, args.device, args.dtype), ("gpt2", "fineweb", "cuda:1", "bfloat16"))
        self.assertEqual((args.batch, args.seqlen, args.port, args.lr), (2, 2048, 17070, 1e-4))
        with mock.patch("importlib.util.find_spec", return_value=object()):
            self.assertTrue(vram_trainer.parse(["--use-8bit-adam"]).use_8bit_adam)

    def test_the_defaults_are_the_seeds_and_this_machine(self):
        args = vram_trainer.parse([])
        self.assertEqual((args.host, args.port, args.batch, args.seqlen, args.lr), ("127.0.0.1", 7070, 4, 256, 3e-4))
        self.assertEqual((args.device, args.dtype, args.dataset), ("auto", "auto", None))

    def test_another_address_needs_a_token(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("VRAMHUB_SIDECAR_TOKEN", None)
            self.assertIn("set VRAMHUB_SIDECAR_TOKEN", said("--host", "0.0.0.0"))
            os.environ["VRAMHUB_SIDECAR_TOKEN"] = "secret"
            self.assertEqual(vram_trainer.parse(["--host", "0.0.0.0"]).token, "secret")

    def test_what_is_wrong_is_said_in_a_line(self):
        for flags, why in (
            (("--batch", "0"), "--batch must be positive"),
            (("--lr", "nan"), "--lr must be positive"),
            (("--port", "70000"), "--port must be from 0 to 65535"),
            (("--dtype", "int8"), "invalid choice"),
            (("--package", "p", "--trainable", "all"), "leave --trainable out"),
            (("--model", "vramhub:tiny", "--trainable", "first:1"), "all, last:N or lora:R, not first:1"),
            (("--model", "vramhub:huge"), "there are nano-gpt, small, tiny"),
            (("--model", "vramhub:tiny", "--device", "cuda:99"), "PyTorch finds no such device here"),
            (("--device", "tpu"), "--device is auto, cpu, cuda, cuda:N or mps, not tpu"),
            (("--model", "vramhub:tiny", "--device", "cpu", "--port", str(self.taken())), "--port names another"),
            (("--package", "/nowhere"), "/nowhere/manifest.json: No such file"),
            (("--hook", "/nowhere.py"), "Cannot load the hook /nowhere.py: FileNotFoundError"),
            (("--model", "vramhub:tiny", "--dataset", "/nowhere.jsonl", "--device", "cpu"), "/nowhere.jsonl"),
            (("--use-8bit-adam",), "pip install 'vram-sidecar[adam8bit]'"),
        ):
            with mock.patch.object(cli.importlib.util, "find_spec", side_effect=no_bitsandbytes):
                self.assertIn(why, said(*flags), flags)

    def taken(self):
        held = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(held.close)
        return held.getsockname()[1]

    def test_help_names_every_flag_and_shows_commands_that_parse(self):
        text = cli.parser().format_help()
        for flag in (*SEEDS, "--hook", "--package", "--trainable", "--gradient-checkpointing", "--parallel"):
            self.assertIn(flag, text)
        commands = [line.split("vram_trainer.py ", 1)[1] for line in text.split("\n") if "vram_trainer.py --" in line]
        self.assertGreaterEqual(len(commands), 6)
        for command in commands:
            vram_trainer.parse(command.split())


REAL_FIND = cli.importlib.util.find_spec


def no_bitsandbytes(name, *rest):
    return None if name == "bitsandbytes" else REAL_FIND(name, *rest)


class Installed(unittest.TestCase):
    def test_pip_makes_a_module_and_a_command(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
            shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
                   "--no-build-isolation", "--target", target, source]
            done = subprocess.run([sys.executable, *pip], env=environment(), capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse(os.path.exists(os.path.join(target, "support.py")))
            env = environment(PYTHONPATH=target)
            for command in ([sys.executable, "-m", "vram_sidecar"], [os.path.join(target, "bin", "vram-trainer")]):
                ran = subprocess.run([*command, "--help"], env=env, cwd=folder, capture_output=True, text=True)
                self.assertEqual(ran.returncode, 0, ran.stderr)
                self.assertIn("torchrun --nproc-per-node 8", ran.stdout)


if __name__ == "__main__":
    unittest.main()
