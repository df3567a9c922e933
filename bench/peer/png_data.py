"""CIFAR-10 and MNIST as PNG files on disk and lists of records, the form in which Rainbow Memory's code reads them."""
import gzip
import pathlib

import numpy as np
import torch
from PIL import Image

STATISTICS = {"cifar10": (32, (.4914, .4822, .4465), (.2023, .1994, .2010)),
              "mnist": (28, (.1307,) * 3, (.3081,) * 3)}


def read_cifar(files):
    records = np.concatenate([np.fromfile(f, np.uint8).reshape(-1, 3073) for f in files])
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0].astype(int)


def read_idx(folder, stem):
    path = next(p for p in sorted(folder.rglob(stem + "*")) if p.is_file())
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


class Source:
    """`cifar10:DIR` or `mnist:DIR`: train and test images and labels, statistics, and the folder of PNG files."""

    def __init__(self, text, folder):
        self.name, _, directory = text.partition(":")
        data = pathlib.Path(directory)
        if self.name == "cifar10":
            self.train = read_cifar(sorted(data.glob("data_batch_*.bin")))
            self.test = read_cifar([data / "test_batch.bin"])
        elif self.name == "mnist":
            self.train = read_idx(data, "train-images"), read_idx(data, "train-labels").astype(int)
            self.test = read_idx(data, "t10k-images"), read_idx(data, "t10k-labels").astype(int)
        else:
            raise SystemExit(f"--data {text}: expected cifar10:DIR or mnist:DIR")
        self.size, self.mean, self.std = STATISTICS[self.name]
        self.classes = 10
        self.folder = pathlib.Path(folder) / self.name

    def records(self, part, rows):
        """Writes the PNG files of these rows where they are missing and returns their records."""
        images, labels = getattr(self, part)
        (self.folder / part).mkdir(parents=True, exist_ok=True)
        out = []
        for row in rows:
            name = f"{part}/{row}.png"
            if not (self.folder / name).exists():
                Image.fromarray(images[row]).save(self.folder / name)
            out.append({"klass": str(labels[row]), "file_name": name, "label": int(labels[row])})
        return out


def blurry_tasks(labels, classes, tasks, minor, limit, rng):
    """Rows of each task: `minor` % of a class spread over all tasks (the released split files), the rest in its own;
    `limit` samples in all, cut from every task in proportion. Classes arrive in their numeric order."""
    rows = [[] for _ in range(tasks)]
    for c in range(classes):
        of_class = rng.permutation(np.flatnonzero(labels == c))
        spilt = (len(of_class) * minor + 50) // 100
        turn = rng.permutation(tasks)
        for i, row in enumerate(of_class[:spilt]):
            rows[turn[i % tasks]].append(row)
        rows[c * tasks // classes].extend(of_class[spilt:])
    total = sum(map(len, rows))
    keep = min(limit, total) / total if limit else 1
    ends = [int(keep * n + 0.5) for n in np.cumsum([0] + [len(r) for r in rows])]
    return [rng.permutation(r)[:b - a] for r, a, b in zip(rows, ends, ends[1:])]


class PngSet(torch.utils.data.Dataset):
    """Opens, decodes and transforms a file each time a sample is asked for."""

    def __init__(self, records, source, transform):
        self.items, self.folder, self.transform = records, source.folder, transform
        self.mean = torch.tensor(source.mean).view(3, 1, 1)
        self.std = torch.tensor(source.std).view(3, 1, 1)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        image = self.transform(Image.open(self.folder / self.items[i]["file_name"]).convert("RGB"))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        return pixels.sub_(self.mean).div_(self.std), self.items[i]["label"], i
