"""SINet for portraits as a plain PyTorch module, from the paper's description: what other runtimes are given.

Tensors are named as in the published weights (safetensors); load(path) fills them, with values under 1e-12 set to zero,
since subnormal weights slow every runtime down and change no output.
"""
import json
import struct

import torch
from torch import nn
from torch.nn import functional as F

EPS = 1e-3


class Conv(nn.Module):
    def __init__(self, i, o, k, s=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False)

    def forward(self, x):
        return self.conv(x)


class NormAct(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bn = nn.BatchNorm2d(c, EPS)
        self.act = nn.PReLU(c)

    def forward(self, x):
        return self.act(self.bn(x))


class ConvNormAct(NormAct):
    def __init__(self, i, o, k, s=1):
        super().__init__(o)
        self.conv = nn.Conv2d(i, o, k, s, k // 2, bias=False)

    def forward(self, x):
        return super().forward(self.conv(x))


class Excite(nn.Module):
    def __init__(self, c, divisor):
        super().__init__()
        layers = [nn.Linear(c, c // divisor), nn.PReLU(c // divisor)]
        if divisor > 1:
            layers += [nn.Linear(c // divisor, c), nn.PReLU(c)]
        self.dense = nn.Sequential(*layers)

    def forward(self, x):
        return x * self.dense(x.mean((2, 3)))[:, :, None, None]


class Down(NormAct):
    def __init__(self, i, o, divisor):
        super().__init__(o)
        self.conv = nn.Sequential(nn.Conv2d(i, i, 3, 2, 1, groups=i, bias=False), Excite(i, divisor), nn.Conv2d(i, o, 1, bias=False))

    def forward(self, x):
        return super().forward(self.conv(x))


class Squeeze(nn.Module):
    def __init__(self, n, k, pool):
        super().__init__()
        self.pool = pool
        self.conv = nn.Sequential(nn.Conv2d(n, n, k, 1, k // 2, groups=n, bias=False), nn.BatchNorm2d(n, EPS))
        self.act_conv1x1 = nn.Sequential(nn.PReLU(n), nn.Conv2d(n, n, 1, bias=False))
        self.bn = nn.BatchNorm2d(n, EPS)

    def forward(self, x):
        y = F.avg_pool2d(x, self.pool) if self.pool > 1 else x
        y = self.act_conv1x1(self.conv(y))
        return self.bn(F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True) if self.pool > 1 else y)


class Module(nn.Module):
    def __init__(self, i, o, first, second):
        super().__init__()
        self.residual = i == o
        self.c1 = Conv(i, o // 2, 1, groups=2)
        self.d1, self.d2 = Squeeze(o // 2, *first), Squeeze(o // 2, *second)
        self.BR = NormAct(o)

    def forward(self, x):
        y = shuffle(self.c1(x))
        y = torch.cat([self.d1(y), self.d2(y)], 1)
        return self.BR(y + x if self.residual else y)


def shuffle(x):
    n, c, h, w = x.shape
    return x.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.level1 = ConvNormAct(3, 12, 3, 2)
        self.level2_0 = Down(12, 16, 1)
        self.level2 = nn.Sequential(Module(16, 48, (3, 1), (5, 1)), Module(48, 48, (3, 1), (3, 1)))
        self.BR2 = NormAct(64)
        self.level3_0 = Down(64, 48, 2)
        rest = [((3, 1), (3, 1)), ((5, 1), (3, 2)), ((5, 2), (3, 4)), ((3, 1), (3, 1)), ((5, 1), (5, 1)), ((3, 2), (3, 4)), ((3, 1), (5, 2))]
        self.level3 = nn.Sequential(Module(48, 96, (3, 1), (5, 1)), *[Module(96, 96, *r) for r in rest])
        self.BR3 = NormAct(144)
        self.classifier = Conv(144, 2, 1)

    def forward(self, x):
        a = self.level2_0(self.level1(x))
        fine = self.level2(a)
        b = self.level3_0(self.BR2(torch.cat([a, fine], 1)))
        return fine, self.classifier(self.BR3(torch.cat([b, self.level3(b)], 1)))


class Sinet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.bn_3, self.bn_2 = nn.BatchNorm2d(2, EPS), nn.BatchNorm2d(2, EPS)
        self.level2_C = ConvNormAct(48, 2, 1)
        self.classifier = nn.Sequential(nn.Identity(), nn.Conv2d(2, 2, 3, 1, 1, bias=False))

    def forward(self, x):
        up = lambda y: F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=True)
        fine, coarse = self.encoder(x)
        d1 = self.bn_3(up(coarse))
        gate = 1 - torch.softmax(d1, 1).max(1, keepdim=True)[0]
        return self.classifier(up(self.bn_2(up(self.level2_C(fine) * gate + d1))))


def load(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    state = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + o for o in entry["data_offsets"])
        kind = torch.float32 if entry["dtype"] == "F32" else torch.int64
        value = torch.frombuffer(bytearray(data[begin:end]), dtype=kind).reshape(entry["shape"]).clone()
        state[name] = torch.where(value.abs() < 1e-12, torch.zeros_like(value), value) if kind == torch.float32 else value
    net = Sinet().eval()
    missing = net.load_state_dict(state, strict=False).missing_keys
    assert not [m for m in missing if "num_batches" not in m], missing
    return net
