"""A model package as the sidecar trains it: every file compared with the manifest, weights by the network's names."""

import hashlib
import json
import os

import torch

from .checkpoint import data_of, header_of
from .package import package_hash
from .refused import Refused

MAX_MANIFEST = 16 << 20
MAX_FILE = 64 << 30


def bad(why):
    return Refused("bad_package", f"Cannot open the package: {why}")


class Packaged:
    """The package in the folder `path`, taken apart."""

    def __init__(self, path):
        self.path = path
        about = self._manifest()
        try:
            self.name, self.spec, self.hash = str(about["name"]), str(about["trainable"]), str(about["hash"])
            shown = [(p["name"], tuple(p["shape"]), p["trainable"]) for p in about["parameters"]]
            files, dimensions = about["files"], about["dimensions"]
            if "config.json" in files:
                self._file("config.json", files)
            self.pages = int(dimensions["batch"]), int(dimensions["context"]), int(dimensions["vocab"])
            self.trainable = [(name, shape) for name, shape, trained in shown if trained is True]
            self.frozen = [(name, shape) for name, shape, trained in shown if trained is False]
            graph = self._file("graph.onnx", files)
            base = self._file("base.safetensors", files)
            frozen = self._file("frozen.safetensors", files) if self.frozen else b""
            found = package_hash(dimensions, graph, self.trainable, self.frozen, frozen, base).hex()
        except (KeyError, TypeError, ValueError) as error:
            raise bad(f"manifest.json lacks what a package has: {type(error).__name__} {error}") from error
        if found != self.hash:
            raise bad(f"manifest.json names the hash {self.hash}, and its files give {found}")
        self.graph = graph
        self.tensors = {**self._tensors(self.trainable, base), **self._tensors(self.frozen, frozen)}

    def _manifest(self):
        path = os.path.join(self.path, "manifest.json")
        try:
            with open(path, "rb") as file:
                about = json.loads(file.read(MAX_MANIFEST))
        except OSError as error:
            raise bad(f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise bad(f"{path} is not JSON: {error}") from error
        if not isinstance(about, dict) or about.get("format") != "vramhub-package/1":
            raise bad(f"{path} is no manifest of vramhub-package/1")
        return about

    def _file(self, name, files):
        path, size = os.path.join(self.path, name), files[name]["bytes"]
        try:
            with open(path, "rb") as file:
                data = file.read(min(size, MAX_FILE) + 1)
        except OSError as error:
            raise bad(f"{path}: {error.strerror}") from error
        if len(data) != size or hashlib.sha256(data).hexdigest() != files[name]["sha256"]:
            raise bad(f"{path} is not the file that manifest.json describes")
        return data

    @staticmethod
    def _tensors(shapes, file):
        if not shapes:
            return {}
        sizes = [torch.Size(shape).numel() for _, shape in shapes]
        data = data_of(header_of(shapes), sum(sizes), file)
        flat = torch.frombuffer(bytearray(data), dtype=torch.float32)
        return {name: part.view(shape) for (name, shape), part in zip(shapes, flat.split(sizes))}

    def architecture(self, named):
        """What describes the architecture: `--model`, or the package's own config.json."""
        if named is not None:
            return named
        if os.path.isfile(os.path.join(self.path, "config.json")):
            return self.path
        raise bad(f"{self.path} has no config.json: name the architecture that it was exported from with --model")

    @torch.no_grad()
    def fill(self, subset):
        """Put the package's weights in the place of `subset`'s."""
        wanted = {name: tuple(t.shape) for name, t in subset.tensors.items()}
        given = {name: tuple(t.shape) for name, t in self.tensors.items()}
        apart = sorted(name for name in {**wanted, **given} if wanted.get(name) != given.get(name))
        if apart or subset.trainable != [name for name, _ in self.trainable]:
            example = f", e.g. {apart[0]}" if apart else ""
            raise Refused("wrong_model", f"The package has other parameters than this architecture{example}: "
                                         "--model must be what the package was exported from")
        for name, tensor in subset.tensors.items():
            tensor.copy_(self.tensors[name])

    @torch.no_grad()
    def compare(self, net):
        """Refuse a model, on the CPU, whose losses are not the graph's; False where there is no onnxruntime to tell."""
        from .export import TOLERANCE, run

        batch, context, vocab = self.pages
        pages = torch.randint(0, vocab, (batch, context + 1), generator=torch.Generator().manual_seed(0))
        tokens, targets = pages[:, :-1].contiguous(), pages[:, 1:].contiguous()
        feeds = {"tokens": tokens.numpy(), "targets": targets.numpy()}
        feeds.update({name: tensor.numpy() for name, tensor in self.tensors.items()})
        try:
            wanted = run(self.graph, feeds)
        except ImportError:
            return False
        logits = net(input_ids=tokens, use_cache=False).logits.float().flatten(0, 1)
        found = torch.nn.functional.cross_entropy(logits, targets.flatten(), reduction="none")
        apart = (found - wanted.flatten()).abs().max().item()
        if not apart <= 10 * TOLERANCE:
            raise Refused("wrong_model", f"This architecture's losses differ from the package's graph by {apart:.1e}: "
                                         "--model must be what the package was exported from")
        return True
