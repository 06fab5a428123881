"""The user's own data format and objective, from a file. It may define any of

    rows(dataset)                    -> the rows of --dataset, each a dict: another file format
    encode(row, tokenizer, seqlen)   -> tokens, targets: both as long, at most seqlen + 1; targets None for all that
                                        follow, -100 where one does not count. The first target is never used
    loss(logits, targets)            -> the mean over the targets that are not -100; logits float32
                                        [rows, length, vocabulary], targets [rows, length] already shifted

`loss` also counts for the pages that a miner hands over; the judge has its own, the mean cross-entropy.
"""

import importlib.util

from .refused import Refused

NAMES = ("rows", "encode", "loss")


def load_hook(path):
    """The module in the file `path`, or None."""
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("vram_hook", path)
    if spec is None:
        raise Refused("bad_hook", f"Cannot load the hook {path}: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Refused("bad_hook", f"Cannot load the hook {path}: {type(error).__name__}: {error}") from error
    if not any(callable(getattr(module, name, None)) for name in NAMES):
        raise Refused("bad_hook", f"Cannot use the hook {path}: it defines none of {', '.join(NAMES)}")
    return module
