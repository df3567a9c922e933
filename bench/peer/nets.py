"""The networks of Rainbow Memory as plain torch modules, in the block order of perennial/nn/backbones.h."""
import torch
from torch import nn


def scaled(channels, width):
    """As scaled_width() of perennial/nn/layers.h: a multiple of 8, at least 8."""
    return channels if width == 1 else max(8, int(channels * width / 8 + 0.5) * 8)


def conv_bn_relu(inputs, outputs, kernel, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs, eps=1e-6), nn.ReLU(inplace=True))


class Block(nn.Module):
    """(conv, BN, ReLU) twice, then the shortcut is added, with no activation after the addition."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(conv_bn_relu(inputs, outputs, 3, stride), conv_bn_relu(outputs, outputs, 3, 1))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_bn_relu(inputs, outputs, 1, stride)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class ResNet(nn.Module):
    def __init__(self, depth_of_groups, widths, width):
        super().__init__()
        channels = scaled(widths[0], width)
        layers = [conv_bn_relu(3, channels, 3, 1)]
        for group, (depth, wide) in enumerate(zip(depth_of_groups, widths)):
            for i in range(depth):
                layers.append(Block(channels, scaled(wide, width), 2 if group > 0 and i == 0 else 1))
                channels = scaled(wide, width)
        self.layers, self.features = nn.Sequential(*layers), channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.layers(x).mean((2, 3))


class Mlp(nn.Module):
    def __init__(self, pixels, width):
        super().__init__()
        hidden = scaled(400, width)
        self.features = hidden
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * pixels, hidden, bias=False), nn.BatchNorm1d(hidden),
                                    nn.ReLU(inplace=True), nn.Linear(hidden, hidden, bias=False),
                                    nn.BatchNorm1d(hidden), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.layers(x)


class Classifier(nn.Module):
    """A backbone and a head that can be thrown away, as Rainbow Memory does before every task."""

    def __init__(self, model, width, size, classes):
        super().__init__()
        self.backbone = {"mlp400": lambda: Mlp(size * size, width),
                         "resnet18": lambda: ResNet((2, 2, 2, 2), (64, 128, 256, 512), width),
                         "resnet32": lambda: ResNet((5, 5, 5), (16, 32, 64), width)}[model]()
        self.classes = classes
        self.reset_head()

    def reset_head(self):
        self.head = nn.Linear(self.backbone.features, self.classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def cost(net, size):
    """(multiply-adds, bytes that convolutions and products read and write) of one image, forward, float32."""
    total = [0, 0]

    def count(module, inputs, output):
        work = module.weight.numel() * (output.shape[2] * output.shape[3] if output.dim() == 4 else 1)
        total[0] += work
        total[1] += 4 * (inputs[0].numel() + output.numel())

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return total
