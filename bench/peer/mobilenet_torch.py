"""MobileNetV1 x0.25 and 8-bit checkpoints with a list of operations, in plain PyTorch: what the edge runtime is compared with.

load(path) gives (network, side, preprocess): network(planes) is (logits, features); preprocess(RGB uint8 [N, H, W, 3]) is the planes,
resized with antialiasing. Written from the checkpoints' own metadata, and in nothing shared with the runtime.
"""
import json
import struct

import torch
from torch import nn
from torch.nn import functional as F

TYPES = {"F32": torch.float32, "U8": torch.uint8, "I64": torch.int64}


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + o for o in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"]).clone()
    return tensors, metadata


class Block(nn.Sequential):
    def __init__(self, i, o, stride):
        super().__init__(nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False), nn.BatchNorm2d(i), nn.LeakyReLU(0.1),
                         nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.1))


class MobilenetV1(nn.Module):
    def __init__(self):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.1))
        self.stage1 = nn.Sequential(stem, Block(8, 16, 1), Block(16, 32, 2), Block(32, 32, 1), Block(32, 64, 2), Block(64, 64, 1))
        self.stage2 = nn.Sequential(Block(64, 128, 2), *[Block(128, 128, 1) for _ in range(5)])
        self.stage3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.fc = nn.Linear(256, 1000)

    def forward(self, x):
        features = self.stage3(self.stage2(self.stage1(x))).mean((2, 3))
        return self.fc(features), features


class Listed(nn.Module):
    """The operations of a listing one by one, with weights turned back into real numbers."""

    def __init__(self, tensors, metadata):
        super().__init__()
        self.operations = json.loads(metadata["graph"])
        self.first = int(metadata["input_tensor"])
        for op in self.operations:
            if "weight" not in op:
                continue
            weight = op["w_scale"] * (tensors[op["weight"]].double() - op["w_zero"])  # OHWI, or 1HWC
            order = (3, 0, 1, 2) if op["op"] == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)
            self.register_buffer(op["weight"].replace(".", "_"), weight.permute(order).float().contiguous())
            self.register_buffer(op["bias"].replace(".", "_"), tensors[op["bias"]])

    def forward(self, x):
        values, features = {self.first: x}, None
        for op in self.operations:
            y = values[op["in"][0]]
            if "weight" in op:
                weight, bias = getattr(self, op["weight"].replace(".", "_")), getattr(self, op["bias"].replace(".", "_"))
                if y.shape[2:] == (1, 1):
                    features = y.flatten(1)
                y = F.conv2d(self.same(y, weight.shape[2:], op["stride"]), weight, bias, op["stride"],
                             groups=y.shape[1] if op["op"] == "DEPTHWISE_CONV_2D" else 1)
            elif op["op"] == "ADD":
                y = y + values[op["in"][1]]
            elif op["op"] == "AVERAGE_POOL_2D":
                y = F.avg_pool2d(y, op["kernel"])
            if op.get("activation") == "relu6":
                y = F.hardtanh(y, 0.0, 6.0)
            values[op["out"]] = y
        return y.flatten(1), features

    @staticmethod
    def same(x, kernel, stride):
        pads = []
        for side, k in ((x.shape[3], kernel[1]), (x.shape[2], kernel[0])):
            total = max(0, (-(-side // stride) - 1) * stride + k - side)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads)


def load(path):
    tensors, metadata = read(path)
    side = int(metadata["input"].split("x")[0])
    if "graph" in metadata:
        net, mean, std = Listed(tensors, metadata), [128 / 255] * 3, [128 / 255] * 3
    else:
        net, mean, std = MobilenetV1(), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        missing = net.load_state_dict(tensors, strict=False).missing_keys
        assert not [m for m in missing if "num_batches" not in m], missing
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (mean, std))

    def preprocess(rgb):
        x = torch.as_tensor(rgb).permute(0, 3, 1, 2).float()
        return (F.interpolate(x, (side, side), mode="bilinear", antialias=True) / 255 - mean) / std

    return net.eval(), side, preprocess
