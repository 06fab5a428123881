"""Weights as canonical safetensors, float32, names ascending: the file that the network's judge reads.

Since the model is known, so is its file's header: reading compares, it does not parse.
"""

import json
import struct

from .refused import Refused


def header_of(shapes):
    """The first bytes of the file for `shapes`, a list of (name, shape), names ascending."""
    entries, offset = {}, 0
    for name, shape in shapes:
        size = 4
        for n in shape:
            size *= n
        entries[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def data_of(header, total, file):
    """The data in `file`, refused unless it is exactly this model's."""
    if len(file) != len(header) + 4 * total:
        raise Refused("wrong_size", f"The model's file has {len(header) + 4 * total} bytes, this one {len(file)}")
    if bytes(file[: len(header)]) != header:
        raise Refused("wrong_model", "The file's header is not the canonical one of this model")
    return memoryview(file)[len(header) :]
