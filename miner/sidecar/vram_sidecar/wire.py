"""The binary dialect: u32le length of a JSON object, the object, then raw little-endian data."""

import json
import struct

from .refused import Refused

MAX_META = 1 << 16


def decode(body):
    """The object and the data (a memoryview) of a frame."""
    if len(body) < 4:
        raise Refused("bad_frame", "The frame is shorter than its length")
    (length,) = struct.unpack_from("<I", body)
    if length > MAX_META or 4 + length > len(body):
        raise Refused("bad_frame", f"The frame's object would have {length} bytes")
    try:
        meta = json.loads(bytes(body[4 : 4 + length]))
    except (ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        raise Refused("bad_frame", "The frame's head is no JSON object")
    return meta, memoryview(body)[4 + length :]


def encode(meta, data=b""):
    """The parts of a frame."""
    head = json.dumps(meta, allow_nan=False).encode()
    return [struct.pack("<I", len(head)), head, data]


def number(meta, name, kind=int, low=0, high=2**53):
    """A field that must be there and in bounds."""
    value = meta.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, kind)) or not low <= value <= high:
        raise Refused("bad_request", f"'{name}' must be a number from {low} to {high}")
    return value
