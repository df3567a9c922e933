#!/usr/bin/env python3
"""Rainbow Memory (Bang et al., CVPR 2021) in plain PyTorch, spending its time where the released code does: the peer of
`perennial learn --learner rm` in bench/rm_speed.py. Written from a description of that code, not from the code.

What it does the released way: every sample is a PNG file, opened and decoded by Pillow each time it is used; images are
augmented one by one; RandAugment builds its tables for every image; uncertainty is twelve sweeps of a data loader, one
after the other, whose logits are stored sample by sample and counted in Python; the memory phase runs at half the batch
size; the whole test set is evaluated after every epoch at that batch size (--eval-once: once per task at batch 512).

Where the description leaves a choice, the one that is faster for the peer was taken: lists of records instead of a
table, a batch of 64 in the uncertainty sweeps, no tracking of training accuracy, mean and deviation made once.
The PNG files are written before the clock starts. Needs the packages of requirements.txt.
"""
import argparse
import collections
import contextlib
import json
import math
import os
import random
import resource
import statistics
import tempfile
import time

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader

import augment_pil
from nets import Classifier, cost
from png_data import PngSet, Source, blurry_tasks
from randaugment_package import RandAugment

VIEWS = 12


def learning_rate(lr, epoch):
    """Cosine with warm restarts (T0 = 1, Tmult = 2) after one gentle epoch."""
    if epoch == 0:
        return 0.1 * lr
    length = 2 ** int(math.log2(epoch))
    return 0.01 * lr + 0.99 * lr * (1 + math.cos(math.pi * (epoch - length) / length)) / 2


def cutmix(images, labels):
    """With p = 0.5 one box for the batch; returns images, the other labels and lambda."""
    if random.random() >= 0.5:
        return images, labels, 1.0
    size, cut = images.shape[-1], math.sqrt(1 - random.random())
    x, y, half = random.randrange(size), random.randrange(size), int(size * cut) // 2
    x0, x1, y0, y1 = max(0, x - half), min(size, x + half), max(0, y - half), min(size, y + half)
    order = torch.randperm(len(images))
    images[:, :, y0:y1, x0:x1] = images[order, :, y0:y1, x0:x1]
    return images, labels[order], 1 - (x1 - x0) * (y1 - y0) / size ** 2


def forever(loader):
    while True:
        yield from loader


class RainbowMemory:
    def __init__(self, args, source):
        self.args, self.source = args, source
        self.net = Classifier(args.model, args.width, source.size, source.classes)
        self.seconds, self.images = collections.defaultdict(float), collections.defaultdict(int)
        self.memory, self.evaluations, self.accuracy = [], 0, 0.0
        self.augment = set(args.augment.split(","))

    @contextlib.contextmanager
    def timed(self, phase):
        start = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - start

    def loader(self, records, batch, transform, shuffle=False, drop_last=False):
        data = PngSet(records, self.source, transform)
        return DataLoader(data, batch, shuffle=shuffle, drop_last=drop_last, num_workers=self.args.workers)

    def train_transform(self, image):
        image = image.resize((self.source.size, self.source.size))
        if "crop" in self.augment:
            image = augment_pil.crop_flip(image)
        if "autoaugment" in self.augment:
            image = augment_pil.autoaugment(image)
        return image

    def fresh_optimiser(self):
        self.sgd = torch.optim.SGD(self.net.parameters(), self.args.lr, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def step(self, images, labels, lr, phase):
        if len(images) < 2:
            return
        partners, share = labels, 1.0
        if "cutmix" in self.augment:
            images, partners, share = cutmix(images, labels)
        self.sgd.param_groups[0]["lr"] = lr
        self.sgd.zero_grad()
        logits = self.net(images)
        loss = share * functional.cross_entropy(logits, labels)
        if share < 1:
            loss = loss + (1 - share) * functional.cross_entropy(logits, partners)
        loss.backward()
        self.sgd.step()
        self.images[phase] += len(images)

    def stream_pass(self, records):
        self.net.train()
        batch = self.args.batch
        # A whole half batch of memory each time, so that both programs see the same number of images.
        replay = batch // 2 if len(self.memory) >= batch // 2 else 0
        stream = self.loader(records, batch - replay, self.train_transform, shuffle=True, drop_last=True)
        recall = forever(self.loader(self.memory, replay, self.train_transform, True, True)) if replay else None
        for images, labels, _ in stream:
            if replay:
                old_images, old_labels, _ = next(recall)
                images, labels = torch.cat([images, old_images]), torch.cat([labels, old_labels])
            self.step(images, labels, 0.1 * self.args.lr, "stream")

    def memory_epoch(self, epoch):
        self.net.train()
        for images, labels, _ in self.loader(self.memory, self.args.batch // 2, self.train_transform, shuffle=True):
            self.step(images, labels, learning_rate(self.args.lr, epoch), "memory training")

    @torch.no_grad()
    def uncertainty(self, records):
        """Sets "uncertainty" of each record: 1 - (votes of the commonest class) / 12."""
        self.net.eval()
        for view in range(VIEWS):
            for images, _, rows in self.loader(records, self.args.uncertainty_batch, RandAugment()):
                logits = self.net(images)
                self.images["uncertainty"] += len(images)
                for i, row in enumerate(rows.tolist()):
                    records[row][f"logits_{view}"] = logits[i].clone()
        for record in records:
            votes = [0] * self.source.classes
            for view in range(VIEWS):
                votes[record[f"logits_{view}"].argmax().item()] += 1
            record["uncertainty"] = 1 - max(votes) / VIEWS

    def select(self, candidates, first_task):
        """Per class every floor(n/k)-th of the sorted candidates; at random in the first task. The rest is filled."""
        quota = self.args.memory // self.source.classes
        chosen = []
        for label in range(self.source.classes):
            of_class = [r for r in candidates if r["label"] == label]
            if len(of_class) > quota:
                if first_task:
                    of_class = random.sample(of_class, quota)
                else:
                    of_class.sort(key=lambda r: r["uncertainty"])
                    of_class = of_class[::len(of_class) // max(1, quota)][:quota]
            chosen += of_class
        taken = {r["file_name"] for r in chosen}
        rest = [r for r in candidates if r["file_name"] not in taken]
        self.memory = chosen + random.sample(rest, min(len(rest), self.args.memory - len(chosen)))

    @torch.no_grad()
    def evaluate(self, test, batch):
        self.net.eval()
        right = 0
        with self.timed("evaluation"):
            for images, labels, _ in self.loader(test, batch, lambda image: image.resize((self.source.size,) * 2)):
                right += (self.net(images).argmax(1) == labels).sum().item()
                self.images["evaluation"] += len(images)
        self.evaluations += 1
        self.accuracy = right / len(test)

    def task(self, number, records, test):
        args = self.args
        if number > 0:
            self.net.reset_head()
        self.fresh_optimiser()

        def after_epoch():
            if not args.eval_once:
                self.evaluate(test, args.batch // 2)

        with self.timed("stream"):
            self.stream_pass(records)
        after_epoch()
        candidates = records + self.memory
        if number > 0:
            with self.timed("uncertainty"):
                self.uncertainty(candidates)
        with self.timed("selection"):
            self.select(candidates, number == 0)
        for epoch in range(args.epochs):
            with self.timed("memory training"):
                self.memory_epoch(epoch)
            after_epoch()
        if args.eval_once:
            self.evaluate(test, 512)
        return self.accuracy


def whole(peer, tasks, test):
    accuracies = []
    with peer.timed("whole"):
        for number, records in enumerate(tasks):
            accuracies.append(peer.task(number, records, test))
    return {"task_accuracy": accuracies, "last_epoch_accuracy": accuracies[-1]}


def warm_up(peer, records):
    """One batch, not counted: what the first call of everything costs."""
    peer.fresh_optimiser()
    peer.net.train()
    images, labels, _ = next(iter(peer.loader(records, peer.args.batch // 2, peer.train_transform)))
    peer.step(images, labels, 0.1 * peer.args.lr, "warm up")
    del peer.images["warm up"]


def uncertainty_alone(peer, tasks, test):
    """One pass over the last task's stream and a memory full of the first one's."""
    records = tasks[-1] + tasks[0][:peer.args.memory]
    warm_up(peer, records)
    with peer.timed("uncertainty"):
        peer.uncertainty(records)
    return {"candidates": len(records)}


def epochs_alone(peer, tasks, test):
    """Epochs over a full memory: the median of them."""
    peer.memory = tasks[0][:peer.args.memory]
    warm_up(peer, peer.memory)
    each = []
    for epoch in range(peer.args.epochs):
        start = time.perf_counter()
        peer.memory_epoch(epoch)
        each.append(time.perf_counter() - start)
    peer.seconds["epoch"] = statistics.median(each)
    peer.images["epoch"] = len(peer.memory)
    del peer.images["memory training"]
    return {"epoch_seconds": each}


def matmul_rate():
    """Multiply-adds a second of a large matrix product with these threads: what the machine can do at best."""
    a = torch.rand(1024, 1024)
    rates = []
    for _ in range(8):
        start = time.perf_counter()
        a @ a
        rates.append(1024 ** 3 / (time.perf_counter() - start))
    return max(rates)


def measure(args, folder):
    start = time.perf_counter()
    source = Source(args.data, folder)
    rng = np.random.default_rng(args.seed)
    limit = args.samples_per_task * args.tasks
    rows = blurry_tasks(source.train[1], source.classes, args.tasks, args.minor, limit, rng)
    tasks = [source.records("train", r) for r in rows]
    test = source.records("test", range(len(source.test[1]))) if args.phase == "whole" else []
    prepared = time.perf_counter() - start
    peer = RainbowMemory(args, source)
    macs, traffic = cost(peer.net, source.size)
    peer.fresh_optimiser()  # the first one imports much of torch: not on the clock
    run = {"whole": whole, "uncertainty": uncertainty_alone, "epoch": epochs_alone}[args.phase]
    found = run(peer, tasks, test)
    return {"peer": "rainbow_memory", "phase": args.phase, "model": args.model, "width": args.width,
            "eval_once": args.eval_once, "threads": args.threads, "workers": args.workers, "cores": os.cpu_count(),
            "torch": torch.__version__, "seconds": dict(peer.seconds), "images": dict(peer.images),
            "evaluations": peer.evaluations, "task_samples": [len(r) for r in tasks], "memory": len(peer.memory),
            "macs_per_image": macs, "layer_bytes_per_image": traffic, "matmul_macs_per_second": matmul_rate(),
            "writing_png_seconds": prepared,
            "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **found}


def show(result):
    print(f"{result['model']} x {result['width']}: {result['macs_per_image'] / 1e6:.2f} M multiply-adds per image; "
          f"{result['threads']} thread(s), {result['workers']} worker(s), {result['cores']} cores")
    print(f"{'phase':18}{'seconds':>10}{'images':>12}")
    images = {"whole": sum(result["images"].values()), **result["images"]}
    for phase, seconds in result["seconds"].items():
        print(f"{phase:18}{seconds:10.2f}{images.get(phase, 0) or '':>12}")
    if "last_epoch_accuracy" in result:
        print(f"accuracy of the last epoch {100 * result['last_epoch_accuracy']:.2f} %, "
              f"{result['evaluations']} evaluations")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="cifar10:DIR (binary form) or mnist:DIR (IDX)")
    p.add_argument("--model", default="resnet18", choices=("mlp400", "resnet18", "resnet32"))
    p.add_argument("--width", type=float, default=1)
    p.add_argument("--tasks", type=int, default=5)
    p.add_argument("--memory", type=int, default=500)
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--minor", type=int, default=10, help="M of blurry-M, in per cent")
    p.add_argument("--augment", default="crop,flip,cutmix,autoaugment",
                   help="of crop,flip (together), cutmix, autoaugment; or none")
    p.add_argument("--uncertainty-batch", type=int, default=64)
    p.add_argument("--samples-per-task", type=int, default=0,
                   help="shorten the tasks to this many on average; 0: all")
    p.add_argument("--eval-once", action="store_true", help="evaluate once per task at batch 512")
    p.add_argument("--phase", default="whole", choices=("whole", "uncertainty", "epoch"))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--workers", type=int, default=0, help="of the data loaders; 0: in this process")
    p.add_argument("--png", help="folder for the PNG files, kept; default: a temporary one")
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    if ("crop" in args.augment) != ("flip" in args.augment):
        p.error("--augment: crop and flip come together here")
    return args


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    with contextlib.ExitStack() as stack:
        folder = args.png or stack.enter_context(tempfile.TemporaryDirectory(prefix="rainbow-png-"))
        result = measure(args, folder)
    print(json.dumps(result)) if args.json else show(result)


if __name__ == "__main__":
    main()
