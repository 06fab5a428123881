"""A trainer for a VRAM HUB miner."""
