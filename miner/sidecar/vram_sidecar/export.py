"""Export a causal LM as a model package, which a network's judge scores: `python -m vram_sidecar.export --help`.

The graph takes tokens, targets and every weight as inputs and gives the loss of each token. Nothing is written unless
onnxruntime gives PyTorch's losses within 1e-4.
"""

import argparse
import inspect
import json
import os
import sys
import warnings

import torch
from transformers import AutoModelForCausalLM

from .model import config_of, open_model
from .package import described, write_package
from .refused import Refused
from .trainable import Subset

OPSET, IR_VERSION = 20, 10
TOLERANCE = 1e-4
# Rows of logits that are alive at once: with a large vocabulary they are most of a forward pass's memory.
CHUNK_ROWS = 256
# The judge's own bounds, enclave/model/onnx/check.ts: said here, where something can be done about it.
MAX_GRAPH, MAX_NODES = 32 << 20, 16_384


class Losses(torch.nn.Module):
    """The loss in nats of every token, [batch · context], from a causal LM."""

    def __init__(self, net, context, chunked, masked):
        super().__init__()
        self.net, self.context, self.chunked = net, context, chunked
        self.extra = {"use_cache": False}
        if masked:
            # Given as it is used: what models make of two dimensions cannot always be exported.
            least = torch.finfo(torch.float32).min
            self.extra["attention_mask"] = torch.full((context, context), least).triu(1)[None, None]
            if "position_ids" in inspect.signature(net.forward).parameters:
                self.extra["position_ids"] = torch.arange(context)[None]

    def forward(self, tokens, targets):
        targets = targets.reshape(-1, 1)
        if not self.chunked:
            return self.of(self.net(input_ids=tokens, **self.extra).logits.flatten(0, 1), targets)
        rows = self.net.base_model(input_ids=tokens, **self.extra).last_hidden_state.flatten(0, 1)
        head = self.net.get_output_embeddings()
        parts = [slice(at, at + CHUNK_ROWS) for at in range(0, rows.shape[0], CHUNK_ROWS)]
        return torch.cat([self.of(head(rows[part]), targets[part]) for part in parts])

    @staticmethod
    def of(logits, targets):
        logits = logits.float()
        return torch.logsumexp(logits, -1) - logits.gather(1, targets).squeeze(1)


class Functional(torch.nn.Module):
    """`losses` with its parameters as arguments, in the order of `names`."""

    def __init__(self, losses, subset, names):
        super().__init__()
        # Not as a submodule: its parameters would become the graph's constants.
        object.__setattr__(self, "losses", losses)
        self.subset, self.names = subset, names

    def forward(self, tokens, targets, tensors):
        own = self.subset.in_force(dict(zip(self.names, tensors)))
        own = {f"net.{name}": tensor for name, tensor in own.items()}
        return torch.func.functional_call(self.losses, own, (tokens, targets))


def reference(net, tokens, targets):
    """What the model itself says, by PyTorch's own cross-entropy."""
    logits = net(input_ids=tokens, use_cache=False).logits.float()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")


def wrapped(net, context, tokens, targets):
    """The first way of computing the losses that gives what the model itself gives."""
    wanted = reference(net, tokens, targets)
    for chunked, masked in ((True, True), (False, True), (True, False), (False, False)):
        try:
            losses = Losses(net, context, chunked, masked).eval()
            if torch.allclose(losses(tokens, targets), wanted, rtol=0, atol=1e-5):
                return losses
        except (AttributeError, TypeError, ValueError, RuntimeError):
            continue
    raise Refused("not_causal", "This model's losses could not be computed from its hidden states or its logits")


def lean(model, shapes):
    """The same graph with nothing in it that the judge does not read; every value with a static shape."""
    import onnx
    from onnx import helper, numpy_helper

    old = model.graph
    foreign = sorted({n.domain for n in old.node if n.domain} | {f.domain for f in model.functions})
    if foreign:
        raise Refused("no_export", f"The exported graph has operators of {', '.join(foreign)}, which the judge refuses")
    inits = [numpy_helper.from_array(numpy_helper.to_array(t), t.name) for t in old.initializer]
    nodes = [helper.make_node(n.op_type, n.input, n.output) for n in old.node]
    for node, was in zip(nodes, old.node):
        for attribute in was.attribute:
            kept = node.attribute.add()
            kept.CopyFrom(attribute)
            kept.ClearField("doc_string")

    def value(v):
        dims = [d.dim_value for d in v.type.tensor_type.shape.dim]
        return helper.make_tensor_value_info(v.name, v.type.tensor_type.elem_type, dims)

    written = {name for n in nodes for name in n.output}
    ends = {v.name for v in old.output}
    inputs = [helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in shapes]
    graph = helper.make_graph(
        nodes, "package", inputs, [value(v) for v in old.output], inits,
        value_info=[value(v) for v in old.value_info if v.name in written and v.name not in ends],
    )
    out = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vramhub")
    out.ir_version = IR_VERSION
    onnx.checker.check_model(out, full_check=True)
    return out


def check_bounds(graph, nodes):
    for what, value, most in (("bytes", len(graph), MAX_GRAPH), ("nodes", nodes, MAX_NODES)):
        if value > most:
            raise Refused("no_export", f"The graph has {value} {what}, and the judge takes {most}: a shorter --context?")


def run(graph, feeds):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["losses"], feeds)[0])


@torch.no_grad()
def build(net, subset, context, batch, seed=0):
    """The graph's bytes and the largest difference of its losses from PyTorch's."""
    import onnx

    net.eval()
    if hasattr(net, "set_attn_implementation"):
        net.set_attn_implementation("eager")
    generator = torch.Generator().manual_seed(seed)
    pages = torch.randint(0, net.config.vocab_size, (batch, context + 1), generator=generator)
    tokens, targets = pages[:, :-1].contiguous(), pages[:, 1:].contiguous()
    losses = wrapped(net, context, tokens, targets)
    names = sorted(subset.tensors)
    tensors = tuple(subset.tensors[name].float() for name in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Functional(losses, subset, names).eval(), (tokens, targets, tensors), None, dynamo=True,
            opset_version=OPSET, input_names=["tokens", "targets", *names], output_names=["losses"],
            external_data=False, verbose=False,
        )
    whole = [batch, context]
    shapes = [("tokens", onnx.TensorProto.INT64, whole), ("targets", onnx.TensorProto.INT64, whole)]
    shapes += [(n, onnx.TensorProto.FLOAT, list(subset.tensors[n].shape)) for n in names]
    model = lean(program.model_proto, shapes)
    graph = model.SerializeToString(deterministic=True)
    check_bounds(graph, len(model.graph.node))
    feeds = {"tokens": tokens.numpy(), "targets": targets.numpy()}
    feeds.update({n: t.numpy() for n, t in zip(names, tensors)})
    given = run(graph, feeds)
    apart = (given - reference(net, tokens, targets)).abs().max().item()
    if not apart <= TOLERANCE:
        raise Refused("losses_differ", f"onnxruntime's losses differ from PyTorch's by {apart}: nothing was written")
    return graph, apart


def dimensions_of(net, context, batch):
    config = net.config.get_text_config() if hasattr(net.config, "get_text_config") else net.config
    numbers = {"vocab": config.vocab_size, "layers": config.num_hidden_layers, "dims": config.hidden_size}
    return {**numbers, "heads": config.num_attention_heads, "context": context, "batch": batch}


def architecture_of(config):
    """The text of config.json, without the path that the model was read from."""
    about = json.loads(config.to_json_string())
    about.pop("_name_or_path", None)
    return json.dumps(about, indent=2) + "\n"


def export(net, name, out, trainable="all", context=256, batch=4, seed=0):
    """Write the package of `net` to `out`; its hash, and how far its losses lie from PyTorch's."""
    if os.path.exists(out):
        raise Refused("exists", f"{out} is there already: name another folder")
    longest = getattr(net.config, "max_position_embeddings", None)
    if longest is not None and context > longest:
        raise Refused("bad_context", f"--context is {context}, and the model has {longest} positions")
    subset = Subset(net, trainable, seed)
    graph, apart = build(net, subset, context, batch, seed)
    dimensions = dimensions_of(net, context, batch)
    return write_package(out, name, dimensions, graph, subset, architecture_of(net.config)), apart


def describe(spec, trainable, context, batch):
    """What a package of the model would hold, from its configuration alone: no weight is loaded."""
    config = config_of(spec)
    with torch.device("meta"):
        net = AutoModelForCausalLM.from_config(config)
    return described(spec, dimensions_of(net, context, batch), Subset(net, trainable))


def parse(argv=None):
    p = argparse.ArgumentParser(prog="python -m vram_sidecar.export", description=__doc__.split("\n")[0])
    p.add_argument("--model", required=True, metavar="DIR|NAME",
                   help="a causal LM: a name, a folder (one with only config.json starts at random), or vramhub:tiny")
    p.add_argument("--out", metavar="DIR", help="the folder to write; it must not be there yet")
    p.add_argument("--describe", action="store_true", help="print dimensions and parameters as JSON, write nothing")
    p.add_argument("--trainable", default="all", metavar="all|last:N|lora:R",
                   help="what miners train: everything, the last N blocks, or added matrices of rank R")
    p.add_argument("--context", type=int, default=256, help="tokens predicted a page")
    p.add_argument("--batch", type=int, default=4, help="pages of one forward pass")
    p.add_argument("--seed", type=int, default=0, help="of weights that start at random")
    args = p.parse_args(argv)
    for name, most in (("context", 1 << 16), ("batch", 64)):
        if not 1 <= getattr(args, name) <= most:
            p.error(f"--{name} must be from 1 to {most}")
    if args.describe == (args.out is not None):
        p.error("say where to write, --out DIR, or only --describe")
    return args


def need(packages):
    missing = []
    for package in packages:
        try:
            __import__(package)
        except ImportError:
            missing.append(package)
    if missing:
        raise Refused("not_installed", f"{', '.join(missing)} must be installed: pip install 'vram-sidecar[export]'")


def main(argv=None):
    args = parse(argv)
    try:
        if args.describe:
            print(json.dumps(describe(args.model, args.trainable, args.context, args.batch)))
            return
        need(("onnx", "onnxscript", "onnxruntime"))
        net = open_model(args.model, args.seed)
        hash, apart = export(net, args.model, args.out, args.trainable, args.context, args.batch, args.seed)
    except (Refused, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"Wrote {args.out}: model hash {hash}, losses within {apart:.1e} of PyTorch's")


if __name__ == "__main__":
    main()
