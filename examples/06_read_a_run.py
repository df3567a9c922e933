#!/usr/bin/env python3
"""Reads a run with NumPy alone: metrics.json, and the network from model.safetensors, which then labels the test digits.

usage: examples/06_read_a_run.py [PERENNIAL [FOLDER]]
"""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read_safetensors(path):
    """{name: array}, {key: text}: an 8-byte length, a JSON header, then the raw numbers."""
    dtypes = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "U8": "u1"}
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], dtypes[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def test_digits():
    """Images [N, 64] from 0 to 255 and labels: every fifth record of the embedded set (perennial/data/digits.md)."""
    records = np.fromfile(ROOT / "perennial/data/digits.bin", np.uint8).reshape(-1, 65)[4::5]
    return (records[:, :64].astype(int) * 255 + 8) // 16, records[:, 64]


def hidden(x, net, number):
    """A layer of mlp400: linear, batch normalisation by running statistics, ReLU."""
    x = x @ net[f"backbone.fc{number}.weight"].T
    bn = {key: net[f"backbone.bn{number}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
    x = (x - bn["running_mean"]) / np.sqrt(bn["running_var"] + 1e-5) * bn["weight"] + bn["bias"]
    return np.maximum(x, 0)


def main():
    perennial = sys.argv[1] if len(sys.argv) > 1 else "perennial"
    run = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "out/06_read_a_run") / "rm"
    shutil.rmtree(run, ignore_errors=True)
    subprocess.run([perennial, "learn", "--data", "digits", "--learner", "rm", "--memory", "100", "--threads", "1",
                    "--quiet", "--out", run], check=True)

    metrics = json.loads((run / "metrics.json").read_text())
    print(f"{metrics['learner_title']}: A_last {metrics['a_last']:.4f}, F_last {metrics['f_last']:.4f}")
    for classes, row in zip(metrics["task_classes"], metrics["accuracy_matrix"]):
        print("after task", classes, " ".join("  -  " if a is None else f"{a:.3f}" for a in row))

    net, metadata = read_safetensors(run / "model.safetensors")
    mean, std = net["normalisation"]
    images, labels = test_digits()
    # Grey images are repeated to three channels, each with its own mean and deviation.
    x = np.concatenate([(images / 255 - mean[c]) / std[c] for c in range(3)], axis=1)
    logits = hidden(hidden(x, net, 1), net, 2) @ net["head.weight"].T + net["head.bias"]
    # Rows of the head stand in the order in which classes arrived.
    rows = np.array(metadata["labels"].split(","), int)
    accuracy = np.mean(rows[logits.argmax(axis=1)] == labels)
    print(f"computed again here: {accuracy:.4f}")
    assert abs(accuracy - metrics["a_last"]) < 0.004, "one image more or less is rounding, more is not"
    assert len(metrics["memory"]["entries"]) == metrics["memory_samples"] == 100


if __name__ == "__main__":
    main()
