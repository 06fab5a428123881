"""The command: parse the flags, load the model, serve it on this machine."""

import argparse
import importlib.util
import os
import sys

from .refused import Refused

LOOPBACK = ("127.0.0.1", "::1", "localhost")

ABOUT = """A trainer for a VRAM HUB miner: PyTorch and transformers over HTTP on this machine.

Start it, wait for "Sidecar listening", then start the miner beside it: deno task miner --trainer sidecar
"""

EXAMPLES = """examples:
  a network's preset on the best device here
      vram_trainer.py --model vramhub:nano-gpt
  the model package of a network, which names what is trained
      vram_trainer.py --package ./package --device cuda
  any causal LM, its last two blocks, with little memory
      vram_trainer.py --model gpt2 --trainable last:2 --gradient-checkpointing on --batch 1
  eight GPUs that make one gradient; --batch is of all of them together
      torchrun --nproc-per-node 8 vram_trainer.py --model gpt2 --device cuda --batch 32
  the same for a model that one GPU does not hold
      torchrun --nproc-per-node 8 vram_trainer.py --package ./package --device cuda --batch 8 --parallel fsdp
  your own data or objective; README.md beside this file has a whole hook
      vram_trainer.py --model gpt2 --dataset ./rows.csv --hook ./mine.py

environment:
  VRAMHUB_SIDECAR_TOKEN   if set, requests must bear it: Authorization: Bearer ...; the miner reads the same variable

GET /health says what is loaded, how far a step is, and how much GPU memory is taken. Ctrl-C or SIGTERM ends it.
"""


def parser():
    p = argparse.ArgumentParser(
        prog="vram_trainer.py", description=ABOUT, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_argument_group("what is trained")
    what.add_argument("--model", default=None, metavar="NAME|DIR",
                      help="a causal LM: a name of the hub, a folder (one with only config.json starts at random), or "
                           "vramhub:tiny, vramhub:small, vramhub:nano-gpt (default: gpt2, or the package's)")
    what.add_argument("--package", default=None, metavar="DIR",
                      help="a network's model package: its weights, and what of them is trained; where it has no "
                           "config.json, --model names the architecture")
    what.add_argument("--trainable", default=None, metavar="all|last:N|lora:R",
                      help="what the network trains: everything, the last N blocks, or low-rank matrices of rank R "
                           "(default: all, or the package's)")
    what.add_argument("--seed", type=int, default=0, help="of weights that start at random (default: 0)")
    data = p.add_argument_group("data, for requests that bring no pages: a miner of ours always brings them")
    data.add_argument("--dataset", default=None, metavar="PATH|URL|fineweb",
                      help="JSON lines with text, messages, tokens, or instruction/input/output; or plain text, whose "
                           "paragraphs are rows; fineweb streams FineWeb-edu")
    data.add_argument("--seqlen", type=int, default=256, help="tokens predicted a row, at most (default: 256)")
    data.add_argument("--hook", default=None, metavar="FILE.py",
                      help="your own rows(dataset), encode(row, tokenizer, seqlen) or loss(logits, targets)")
    how = p.add_argument_group("how")
    how.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    how.add_argument("--dtype", default="auto", choices=["auto", "bfloat16", "float16", "float32"],
                     help="of the arithmetic; weights are kept in float32 (default: bfloat16 on CUDA, else float32)")
    how.add_argument("--batch", type=int, default=4, help="rows of one step, of all GPUs together (default: 4)")
    how.add_argument("--lr", type=float, default=3e-4,
                     help="learning rate where a request names none (default: 3e-4)")
    how.add_argument("--use-8bit-adam", action="store_true",
                     help="AdamW with moments of 8 bits: needs CUDA and pip install 'vram-sidecar[adam8bit]'")
    how.add_argument("--gradient-checkpointing", default="auto", choices=["auto", "on", "off"],
                     help="compute activations twice instead of keeping them (default: above 500 M parameters)")
    how.add_argument("--parallel", default="ddp", choices=["ddp", "fsdp"],
                     help="under torchrun: ddp, a whole model a GPU, or fsdp, a part of it (default: ddp)")
    where = p.add_argument_group("where")
    where.add_argument("--port", type=int, default=7070, help="0 takes a free one and prints it (default: 7070)")
    where.add_argument("--host", default="127.0.0.1",
                       help="an address that other machines reach needs VRAMHUB_SIDECAR_TOKEN (default: 127.0.0.1)")
    return p


def parse(argv=None):
    """The flags, checked as far as they can be without PyTorch."""
    p = parser()
    args = p.parse_args(argv)
    for name in ("batch", "seqlen"):
        if getattr(args, name) < 1:
            p.error(f"--{name} must be positive")
    if not 0 < args.lr < float("inf"):
        p.error("--lr must be positive and finite")
    if not 0 <= args.port <= 65535:
        p.error("--port must be from 0 to 65535")
    if args.package is not None and args.trainable is not None:
        p.error("--package says what is trained: leave --trainable out")
    if args.use_8bit_adam and importlib.util.find_spec("bitsandbytes") is None:
        p.error("--use-8bit-adam needs bitsandbytes: pip install 'vram-sidecar[adam8bit]'")
    if args.use_8bit_adam and args.parallel == "fsdp":
        p.error("--use-8bit-adam does not go with --parallel fsdp: take ddp, or the AdamW of PyTorch")
    args.token = os.environ.get("VRAMHUB_SIDECAR_TOKEN") or None
    if args.host not in LOOPBACK and args.token is None:
        p.error(f"--host {args.host} would serve the network: set VRAMHUB_SIDECAR_TOKEN to a secret first")
    return args


def main(argv=None):
    """Serve until SIGTERM or Ctrl-C, or, as a further process of torchrun, work for the one that serves."""
    args = parse(argv)
    # transformers would load TensorFlow too, where it is installed.
    os.environ.setdefault("USE_TF", "0")
    from .data import Data
    from .hook import load_hook
    from .model import TrainedModel
    from .ranks import Ranks
    from .server import serve

    try:
        hook = load_hook(args.hook)
        with Ranks.join(args.device) as ranks:
            model = TrainedModel(args, hook, ranks)
            if ranks.rank > 0:
                ranks.follow(model)
                return
            try:
                data = Data(args, model, hook)
            except BaseException:
                ranks.tell("stop")
                raise
            serve(model, data, args)
    except (Refused, OSError, ValueError) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
