"""Several processes that train one model: torchrun starts them, rank 0 serves HTTP, the others do what it does.

Each takes its share of every step's rows, and PyTorch's own engine (DDP or FSDP) adds up the gradients.
"""

import os
import signal
from datetime import timedelta

import torch
import torch.distributed as dist

from .refused import Refused

# The others wait for rank 0 for as long as no miner asks anything.
PATIENCE = timedelta(days=365)


def pick_device(spec):
    """The device of `--device`, which must be here."""
    if spec != "auto":
        try:
            device = torch.device(spec)
        except RuntimeError as error:
            raise Refused("bad_device", f"--device is auto, cpu, cuda, cuda:N or mps, not {spec}") from error
        count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
        if (device.index or 0) >= count.get(device.type, 0):
            raise Refused("no_device", f"--device {spec}: PyTorch finds no such device here; --device auto takes what "
                                       "it finds, and NVIDIA's need their driver and PyTorch's build for CUDA")
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class Ranks:
    """This process among `count`; alone, every method does nothing or the obvious."""

    def __init__(self, device, rank=0, count=1):
        self.device, self.rank, self.count = device, rank, count
        self._orders = dist.new_group(backend="gloo", timeout=PATIENCE) if count > 1 else None

    @classmethod
    def join(cls, spec):
        """What torchrun's variables say, on the device `spec`."""
        device, count = pick_device(spec), int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls(device)
        if device.type == "mps" or device.index is not None:
            raise Refused("bad_device", f"torchrun gives each process its device: --device cuda or cpu, not {spec}")
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        return cls(device, dist.get_rank(), count)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.count > 1 and kind is None:
            dist.destroy_process_group()

    def tell(self, name, *args):
        """Have the others call `model.name(*args)`, as this process is about to."""
        if self.count > 1 and self.rank == 0:
            dist.broadcast_object_list([(name, args)], 0, group=self._orders)

    def follow(self, model):
        """Do what rank 0 tells, until it stops. What it refuses is refused here too, and the next order awaited."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            order = [None]
            dist.broadcast_object_list(order, 0, group=self._orders)
            name, args = order[0]
            if name == "stop":
                return
            try:
                getattr(model, name)(*args)
            except Refused:
                pass

    def sum(self, *values):
        """The sums of numbers over all processes, in float64."""
        if self.count == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total, group=self._orders)
        return total.tolist()

    def spread(self, tensor):
        """Rank 0's tensor in all processes, in place."""
        if self.count > 1:
            dist.broadcast(tensor, 0)
        return tensor

    def share(self, rows):
        """This process's part of `rows`; None where there are fewer rows than processes."""
        return rows[self.rank :: self.count] or None
