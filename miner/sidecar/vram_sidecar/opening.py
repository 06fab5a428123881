"""Models by name, folder or preset: configuration and weights, float32, without dropout."""

import os

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from .presets import preset

WEIGHTS = (".safetensors", ".bin", ".index.json")
# Files of a model package are no weights that transformers could read.
PACKAGED = ("base.safetensors", "frozen.safetensors")


def without_dropout(config):
    """The judge's loss has no dropout, so the gradient of it has none either."""
    for name, value in vars(config).items():
        if ("dropout" in name or name.endswith("pdrop")) and isinstance(value, (int, float)):
            setattr(config, name, 0.0)
    return config


def config_of(spec):
    """The configuration of the model of `spec`."""
    if spec.startswith("vramhub:"):
        return without_dropout(preset(spec[len("vramhub:"):]))
    return without_dropout(AutoConfig.from_pretrained(spec))


def has_weights(folder):
    return any(name.endswith(WEIGHTS) and name not in PACKAGED for name in os.listdir(folder))


def open_model(spec, seed, weights=True):
    """The model of `spec` in float32; with random weights where it has none, or `weights` says so."""
    torch.manual_seed(seed)
    config = config_of(spec)
    if not weights or spec.startswith("vramhub:") or (os.path.isdir(spec) and not has_weights(spec)):
        return AutoModelForCausalLM.from_config(config).float()
    return AutoModelForCausalLM.from_pretrained(spec, config=config).float()
