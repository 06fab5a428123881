"""A model package: a folder of graph.onnx, manifest.json, base.safetensors and, where anything is frozen,
frozen.safetensors; config.json says sidecars the architecture. One hash names what a judge takes of it:
`enclave/model/package.ts` computes the same and says of what."""

import hashlib
import json
import os
import struct

from .checkpoint import header_of

CHUNK = 4 << 20
DIMENSIONS = ("vocab", "layers", "dims", "heads", "context", "batch")


def sha256(*parts):
    hash = hashlib.sha256()
    for part in parts:
        hash.update(part)
    return hash.digest()


def file_of(shapes, tensors):
    """The canonical safetensors file of `tensors` in the order of `shapes`."""
    data = b"".join(tensors[name].contiguous().numpy().astype("<f4").tobytes() for name, _ in shapes)
    return header_of(shapes) + data


def chunks_of(file):
    return [sha256(file[at : at + CHUNK]) for at in range(0, len(file), CHUNK)]


def leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def bcs_params(shapes):
    out = leb(len(shapes))
    for name, shape in shapes:
        text = name.encode()
        out += leb(len(text)) + text + leb(len(shape)) + b"".join(struct.pack("<I", n) for n in shape)
    return out


def list_params(shapes):
    out = struct.pack("<I", len(shapes))
    for name, shape in shapes:
        text = name.encode()
        out += struct.pack("<I", len(text)) + text
        out += struct.pack(f"<{1 + len(shape)}I", len(shape), *shape)
    return out


def package_hash(dimensions, graph, trainable, frozen, frozen_file, base_file):
    """The model hash of the package, 32 bytes."""
    chunks = chunks_of(frozen_file)
    encoded = struct.pack("<6I", *(dimensions[name] for name in DIMENSIONS)) + sha256(graph)
    encoded += bcs_params(trainable) + bcs_params(frozen)
    encoded += leb(len(chunks)) + b"".join(chunks) + sha256(base_file)
    return sha256(b"vramhub/model/v1", sha256(graph), list_params(trainable), encoded)


def shapes_of(subset, names):
    return [(name, list(subset.tensors[name].shape)) for name in names]


def described(name, dimensions, subset):
    """What manifest.json says of a model besides its files."""
    shown = [(n, s, True) for n, s in shapes_of(subset, subset.trainable)]
    shown += [(n, s, False) for n, s in shapes_of(subset, subset.frozen)]
    return {
        "format": "vramhub-package/1",
        "name": name,
        "trainable": subset.spec,
        "dimensions": {name: dimensions[name] for name in DIMENSIONS},
        "parameters": [{"name": n, "shape": s, "trainable": t} for n, s, t in sorted(shown)],
    }


def write_package(out, name, dimensions, graph, subset, architecture=None):
    """Write the folder `out`, whole or not at all, and return its hash in hex.

    `architecture` is the text of config.json, which sidecars build the model from; the judge never reads it.
    """
    trainable, frozen = shapes_of(subset, subset.trainable), shapes_of(subset, subset.frozen)
    base_file = file_of(trainable, subset.tensors)
    frozen_file = file_of(frozen, subset.tensors) if frozen else b""
    hash = package_hash(dimensions, graph, trainable, frozen, frozen_file, base_file).hex()
    files = {"graph.onnx": graph, "base.safetensors": base_file}
    if frozen:
        files["frozen.safetensors"] = frozen_file
    if architecture is not None:
        files["config.json"] = architecture.encode()
    manifest = {
        **described(name, dimensions, subset),
        "hash": hash,
        "roles": {"tokens": "tokens", "targets": "targets", "losses": "losses"},
        "files": {n: {"bytes": len(d), "sha256": sha256(d).hex()} for n, d in sorted(files.items())},
    }
    files["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    part = out.rstrip("/") + ".part"
    os.makedirs(part)
    for file, data in files.items():
        with open(os.path.join(part, file), "wb") as handle:
            handle.write(data)
    os.rename(part, out)
    return hash
