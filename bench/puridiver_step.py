#!/usr/bin/env python3
"""PuriDivER's memory step beside a plain PyTorch program: who goes must be the same, and what it costs is counted and timed.

usage: bench/puridiver_step.py build/release/bin/bench_puridiver_step CIFAR10 [--batches 50] [--rounds 3]
       with a Python that has torch and safetensors (bench/peer/requirements.txt); one thread

CIFAR-10 with 40 of 100 labels wrong, batches of 16, a memory of 500, ResNet-18 x 0.25 as it is before training, in float32. The
plain program makes a class's whole cosine matrix anew for each sample that goes, as the released code does; it encodes
memory and batch once a batch (as that does) or, with `each`, anew for each sample that goes. Ours encodes once a batch, and
a sum of cosines is one product with the sum of the class's unit vectors. Operations are multiply-adds.
"""
import argparse, json, pathlib, subprocess, sys, tempfile, time

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peer"))
import nets

MEMORY, BATCH, ALPHA = 500, 16, 0.5
CHUNK = 16  # images at a time: of 16, 32, 64 and all the plain program's fastest


def load(tensors):
    """The peer's modules with our weights, and the normalised images."""
    net = nets.Classifier("resnet18", 0.25, 32, 10)
    net.head = torch.nn.Sequential(torch.nn.Linear(net.backbone.features, 10, bias=False), torch.nn.BatchNorm1d(10, eps=1e-6))
    names = {"backbone.layers.0": ("backbone.conv1", "backbone.bn1"), "head": ("head", "head.bn")}
    for group in range(4):
        for i in range(2):
            ours, theirs = f"backbone.layer{group + 1}.{i}", f"backbone.layers.{1 + 2 * group + i}"
            names |= {f"{theirs}.body.0": (f"{ours}.conv1", f"{ours}.bn1"), f"{theirs}.body.1": (f"{ours}.conv2", f"{ours}.bn2"),
                      f"{theirs}.shortcut": (f"{ours}.shortcut.conv", f"{ours}.shortcut.bn")}
    state = net.state_dict()
    for name in state:
        block, part, what = name.rsplit(".", 2)
        if what != "num_batches_tracked":
            state[name] = tensors[f"{names[block][int(part)]}.{what}"]
    net.load_state_dict(state)
    mean, std = (row.float().view(3, 1, 1) for row in tensors["normalisation"])
    return net.eval(), (tensors["bench.images"].float() / 255 - mean) / std


def standardised(x):
    return (x - x.mean()) / x.std(unbiased=False) if x.std(unbiased=False) > 1e-12 else torch.zeros_like(x)


class Plain:
    """The memory step, written down as the released code works."""

    def __init__(self, net, images, labels, macs_an_image, each):
        self.net, self.images, self.labels, self.each = net, images, labels, each
        self.macs_an_image, self.encoded, self.cosines = macs_an_image, 0, 0
        self.encoding = self.selection = 0.0

    def encode(self, rows):
        begin = time.thread_time()
        with torch.no_grad():
            features = torch.cat([self.net.backbone(self.images[some]) for some in rows.split(CHUNK)])
            losses = F.cross_entropy(self.net.head(features), self.labels[rows], reduction="none")
        self.encoded += len(rows)
        self.encoding += time.thread_time() - begin
        return features, losses

    def step(self, memory, batch, quotas):
        """`quotas`: how many of each class stay, since of equally large classes a random one shrinks."""
        rows = torch.cat([memory, batch])
        features, losses = self.encode(rows)
        weight = self.net.head[0].weight.detach()
        relevant = weight > weight.mean(0)
        while len(rows) > MEMORY:
            if self.each:
                features, losses = self.encode(rows)
            begin = time.thread_time()
            counts = torch.bincount(self.labels[rows], minlength=10)
            label = next(c for c in range(10) if counts[c] == counts.max() and counts[c] > quotas[c])
            own = (self.labels[rows] == label).nonzero().squeeze(1)
            f = F.normalize(features[own][:, relevant[label]])
            similar = (f @ f.T).mean(1)
            self.cosines += len(own) ** 2 * f.shape[1]
            score = (1 - ALPHA) * standardised(losses[own]) + ALPHA * standardised(similar)
            keep = torch.ones(len(rows), dtype=torch.bool)
            keep[own[score.argmax()]] = False
            rows, features, losses = rows[keep], features[keep], losses[keep]
            self.selection += time.thread_time() - begin
        return rows


def ours_in_cosines(labels, kept, batches, dimensions):
    """Multiply-adds of unit vectors, sums and products by the rule of memory/puridiver.cpp."""
    total = 0
    for b in range(batches):
        batch = torch.arange((MEMORY // BATCH + 1 + b) * BATCH, (MEMORY // BATCH + 2 + b) * BATCH)
        rows = torch.cat([kept[b], batch])
        left = torch.bincount(labels[kept[b + 1]], minlength=10)
        for c, n in enumerate(torch.bincount(labels[rows], minlength=10).tolist()):
            gone = n - left[c].item()
            if gone > 0:
                total += (2 + gone) * n * dimensions[c]
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("cifar10")
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)

    rows = {"ours": [], "plain": [], "plain, encoding for each": []}
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "step.safetensors"
        for _ in range(args.rounds):
            done = subprocess.run([args.binary, args.cifar10, str(out), str(args.batches)], check=True, capture_output=True, text=True)
            ours = json.loads(done.stdout)
            rows["ours"].append((ours["encoding_ms"], ours["selection_ms"]))
            tensors = load_file(out)
            net, images = load(tensors)
            labels, kept = tensors["bench.labels"], tensors["bench.kept"]
            macs = nets.cost(net.backbone, 32)[0]
            for name, each in (("plain", False), ("plain, encoding for each", True)):
                plain = Plain(net, images, labels, macs, each)
                batches = args.batches if not each else max(2, args.batches // 10)
                memory, equal = kept[0], 0
                for b in range(batches):
                    first = (MEMORY // BATCH + 1 + b) * BATCH
                    quotas = torch.bincount(labels[kept[b + 1]], minlength=10)
                    memory = plain.step(memory, torch.arange(first, first + BATCH), quotas)
                    equal += set(memory.tolist()) == set(kept[b + 1].tolist())
                rows[name].append((1000 * plain.encoding / batches, 1000 * plain.selection / batches))
                plain.batches, plain.equal = batches, equal
                rows[name + " counted"] = plain
    relevant = [int((tensors["head.weight"] > tensors["head.weight"].mean(0))[c].sum()) for c in range(10)]
    own = ours_in_cosines(labels, kept, args.batches, relevant) / args.batches
    encoded = MEMORY + BATCH
    print(f"a batch of 16, memory of 500, one image {macs / 1e6:.1f} M multiply-adds; best of {args.rounds} rounds in turn, ms of one thread\n")
    print(f"{'':26}{'encoded':>9}{'M mul-adds':>12}{'in cosines':>12}{'encode ms':>11}{'select ms':>11}  same batches")
    counts = {"ours": (encoded, own, "")}
    for name in ("plain", "plain, encoding for each"):
        p = rows[name + " counted"]
        counts[name] = (p.encoded / p.batches, p.cosines / p.batches, f"{p.equal} of {p.batches}")
    for name, (images_seen, cosines, same) in counts.items():
        encode_ms, select_ms = (min(r[i] for r in rows[name]) for i in (0, 1))
        print(f"{name:26}{images_seen:9.0f}{(images_seen * macs + cosines) / 1e6:12.0f}{cosines / 1e6:12.3f}{encode_ms:11.1f}{select_ms:11.2f}  {same}")
    print(f"\ncosines: {counts['plain'][1] / own:.1f} times fewer multiply-adds; with encoding for each "
          f"{(counts['plain, encoding for each'][0] * macs + counts['plain, encoding for each'][1]) / (encoded * macs + own):.1f} times fewer in all")
    sys.exit(any(p.equal != p.batches for p in rows.values() if isinstance(p, Plain)))


main()
