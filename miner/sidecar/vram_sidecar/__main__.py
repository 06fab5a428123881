"""`python -m vram_sidecar`, the same as the command `vram-trainer`."""

from .cli import main

if __name__ == "__main__":
    main()
