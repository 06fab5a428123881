#!/usr/bin/env python3
"""Starts the sidecar from a checkout; installed, it is `vram-trainer` or `python -m vram_sidecar`."""

from vram_sidecar.cli import main, parse  # noqa: F401

if __name__ == "__main__":
    main()
