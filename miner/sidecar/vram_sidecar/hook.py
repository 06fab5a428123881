"""The user's own data format and objective, from a file."""

import importlib.util


def load_hook(path):
    """The module in the file `path`, or None. It may define `encode` and `loss`, and nothing else is looked at."""
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("vram_hook", path)
    if spec is None:
        raise SystemExit(f"Cannot load the hook {path}: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not any(hasattr(module, name) for name in ("encode", "loss")):
        raise SystemExit(f"Cannot use the hook {path}: it defines neither encode nor loss")
    return module
