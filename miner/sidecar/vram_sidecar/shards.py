"""The trained parameters as they lie in this process: whole, or under FSDP a part of each."""

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from .trainable import blocks_of


def local(tensor):
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


class Shards:
    """Flat copies of `trained`, (name, parameter) ascending, and what PyTorch needs to add up their gradients."""

    def __init__(self, net, trained, ranks, parallel):
        self.ranks, self.device = ranks, ranks.device
        self.engine, self.params = net, trained
        if ranks.count > 1 and parallel == "fsdp":
            self._shard(net)
        elif ranks.count > 1:
            at = None if self.device.type == "cpu" else [self.device.index]
            self.engine = DistributedDataParallel(net, device_ids=at)

    def _shard(self, net):
        """Give each process a part of every parameter, a block of the model at a time."""
        from torch.distributed.fsdp import fully_shard

        names = {id(p): name for name, p in net.named_parameters()}
        mesh = init_device_mesh(self.device.type, (self.ranks.count,))
        path, count = blocks_of(net)
        for i in range(count):
            fully_shard(net.get_submodule(f"{path}.{i}"), mesh=mesh)
        fully_shard(net, mesh=mesh)
        net.to(self.device)
        sharded = dict(net.named_parameters())
        self.params = [(short, sharded[names[id(p)]]) for short, p in self.params]

    @torch.no_grad()
    def copy(self):
        """This process's values, one CPU tensor a parameter."""
        return [local(p).detach().to("cpu", copy=True) for _, p in self.params]

    @torch.no_grad()
    def put_back(self, values):
        for (_, p), value in zip(self.params, values):
            local(p).copy_(value)

    @torch.no_grad()
    def gather(self, values):
        """One flat CPU tensor of what all processes hold as `values`; None but in rank 0."""
        parts = []
        for (_, p), value in zip(self.params, values):
            if isinstance(p, DTensor):
                value = DTensor.from_local(
                    value.to(self.device), p.device_mesh, p.placements, shape=p.shape, stride=p.stride(),
                ).full_tensor()
            if self.ranks.rank == 0:
                parts.append(value.reshape(-1).cpu())
        return torch.cat(parts) if self.ranks.rank == 0 else None

    @torch.no_grad()
    def scatter(self, theta):
        """The reverse: rank 0's flat θ into the parameters of all processes."""
        at = 0
        for _, p in self.params:
            if theta is None:
                value = torch.empty(p.shape, device=self.device)
            else:
                value = theta[at : at + p.numel()].view(p.shape).to(self.device)
            at += p.numel()
            value = self.ranks.spread(value.contiguous())
            if isinstance(p, DTensor):
                value = local(distribute_tensor(value, p.device_mesh, p.placements, src_data_rank=None))
            local(p).copy_(value)

    def _gradients(self):
        return [local(p.grad) for _, p in self.params if p.grad is not None]

    def forget_gradients(self):
        for _, p in self.params:
            p.grad = None

    def gradient_norm(self):
        """Of the whole gradient, over all processes; each matrix in float32, their sum in float64."""
        norms = [torch.linalg.vector_norm(g) for g in self._gradients()]
        if not norms:
            return 0.0
        square = torch.stack(norms).cpu().double().square().sum().item()
        if any(isinstance(p, DTensor) for _, p in self.params):
            (square,) = self.ranks.sum(square)
        return square**0.5

    def scale_gradients(self, factor):
        if factor != 1.0:
            for g in self._gradients():
                g.mul_(factor)
