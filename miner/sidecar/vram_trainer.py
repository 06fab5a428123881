#!/usr/bin/env python3
"""The command: parse the flags, load the model, serve it on this machine."""

import argparse
import os

from vram_sidecar.data import Data
from vram_sidecar.hook import load_hook
from vram_sidecar.model import TrainedModel
from vram_sidecar.refused import Refused
from vram_sidecar.server import serve
from vram_sidecar.trainable import parse_spec

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def parse(argv=None):
    p = argparse.ArgumentParser(prog="vram_trainer.py", description=__doc__)
    p.add_argument("--model", default="gpt2",
                   help="a causal LM: a name, a folder (one with only config.json starts at random), or vramhub:tiny, "
                        "vramhub:small, vramhub:nano-gpt")
    p.add_argument("--dataset", default=None, metavar="PATH|URL|fineweb",
                   help="JSON lines or text for requests that bring no pages")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    p.add_argument("--dtype", default="auto", choices=["auto", "bfloat16", "float32"],
                   help="of the arithmetic; weights are kept in float32")
    p.add_argument("--batch", type=int, default=4, help="rows of one step")
    p.add_argument("--seqlen", type=int, default=256, help="tokens predicted a row")
    p.add_argument("--port", type=int, default=7070)
    p.add_argument("--lr", type=float, default=3e-4)
    p.add_argument("--use-8bit-adam", action="store_true", help="AdamW of bitsandbytes")
    p.add_argument("--gradient-checkpointing", default="auto", choices=["auto", "on", "off"],
                   help="auto: above 500 M parameters")
    p.add_argument("--trainable", default="all", metavar="all|last:N|lora:R",
                   help="the parameters that the network trains: all, of the last N blocks, or low-rank ones of rank R")
    p.add_argument("--hook", default=None, metavar="FILE.py",
                   help="your own encode(row, tokenizer, seqlen) and loss(logits, targets)")
    p.add_argument("--host", default="127.0.0.1", help="another address needs VRAMHUB_SIDECAR_TOKEN")
    p.add_argument("--seed", type=int, default=0, help="of weights that start at random")
    args = p.parse_args(argv)
    for name in ("batch", "seqlen"):
        if getattr(args, name) < 1:
            p.error(f"--{name} must be positive")
    try:
        parse_spec(args.trainable)
    except Refused as error:
        p.error(str(error))
    args.token = os.environ.get("VRAMHUB_SIDECAR_TOKEN") or None
    if args.host not in LOOPBACK and args.token is None:
        p.error(f"--host {args.host} would serve the network: set VRAMHUB_SIDECAR_TOKEN")
    return args


def main(argv=None):
    args = parse(argv)
    hook = load_hook(args.hook)
    model = TrainedModel(args, hook)
    serve(model, Data(args, model, hook), args)


if __name__ == "__main__":
    main()
