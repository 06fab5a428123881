"""The network's own presets: GPT-2's architecture with the exact GELU, so that the judge's graph gives the same loss."""

from .refused import Refused

# name: vocabulary, layers, width, heads, positions
PRESETS = {
    "nano-gpt": (100277, 6, 384, 6, 256),
    "small": (100277, 2, 64, 4, 64),
    "tiny": (256, 2, 64, 2, 64),
}


def preset(name):
    """The transformers configuration of preset `name`."""
    from transformers import GPT2Config

    if name not in PRESETS:
        raise Refused("no_preset", f"Cannot find vramhub:{name}: there are {', '.join(PRESETS)}")
    vocab, layers, width, heads, positions = PRESETS[name]
    return GPT2Config(
        vocab_size=vocab, n_layer=layers, n_embd=width, n_head=heads, n_positions=positions,
        activation_function="gelu", layer_norm_epsilon=1e-5, bos_token_id=None, eos_token_id=None,
    )
