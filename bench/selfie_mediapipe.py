#!/usr/bin/env python3
"""MediaPipe's selfie segmentation beside SINet: mattes of people and milliseconds, in turn, one thread each.

usage: selfie_mediapipe.py PERENNIAL SINET.peb SELFIE.tflite DATA [--rounds N]

SELFIE.tflite lies in the wheel of mediapipe 0.10.21 (`pip download --no-deps mediapipe==0.10.21`, then unzip
mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite). Needs ai-edge-litert, numpy and pillow. Scores are those of
`perennial segment eval` (perennial/tasks/segmentation_metrics.h), at each network's own input size.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

BAND = 15


def pairs(folder):
    """Images and masks, laid out as `perennial segment` takes them."""
    if (folder / "images").is_dir():
        return [(f, folder / "masks" / f"{f.stem}.png") for f in sorted((folder / "images").iterdir())]
    return [(f, f.with_suffix(".png")) for f in sorted(folder.glob("*.jpg"))]


def box_counts(mask):
    """How many of each pixel's square of BAND, cut at the borders, are 1; and how many pixels the square has."""
    half = BAND // 2
    sums = np.pad(mask.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    rows, columns = (np.arange(n) for n in mask.shape)
    top, bottom = np.maximum(rows - half, 0), np.minimum(rows + half + 1, mask.shape[0])
    left, right = np.maximum(columns - half, 0), np.minimum(columns + half + 1, mask.shape[1])
    count = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    return count, np.outer(bottom - top, right - left)


def scores(mattes, masks):
    ious, f1s, pixels = [], [], np.zeros(4)
    for matte, mask in zip(mattes, masks):
        both, only, missed = (matte & mask).sum(), (matte & ~mask).sum(), (~matte & mask).sum()
        pixels += [both, only, missed, (~matte & ~mask).sum()]
        ious.append(both / (both + only + missed) if both + only + missed else 1)
        count, area = box_counts(mask)
        band = (count > 0) & (count < area)
        hit = (matte & mask & band).sum()
        wrong = ((matte != mask) & band).sum()
        f1s.append(2 * hit / (2 * hit + wrong) if 2 * hit + wrong else 1)
    both, only, missed, neither = pixels
    miou = (both / (both + only + missed) + neither / (neither + only + missed)) / 2
    return {"foreground_iou": float(np.mean(ious)), "miou": float(miou), "boundary_f1": float(np.mean(f1s)),
            "images": len(ious)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("perennial")
    parser.add_argument("sinet")
    parser.add_argument("selfie")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    net = Interpreter(model_path=args.selfie, num_threads=1)
    net.allocate_tensors()
    given, wanted = net.get_input_details()[0], net.get_output_details()[0]
    side = int(given["shape"][1])

    def run(planes):
        net.set_tensor(given["index"], planes)
        net.invoke()
        return net.get_tensor(wanted["index"])[0, :, :, 0]

    mattes, masks = [], []
    for file, mask_file in pairs(args.data):
        image = Image.open(file).convert("RGB").resize((side, side), Image.BILINEAR)
        mask = Image.open(mask_file).convert("L").resize((side, side), Image.NEAREST)
        mattes.append(run(np.asarray(image, np.float32)[None] / 255) > 0.5)
        masks.append(np.asarray(mask) > 127)
    theirs = scores(mattes, masks)
    ours = json.loads(subprocess.run([args.perennial, "segment", "eval", "--weights", args.sinet, "--data", args.data,
                                      "--json", "--quiet"], check=True, capture_output=True).stdout)

    def theirs_ms():
        planes, times = np.full((1, side, side, 3), 0.5, np.float32), []
        for _ in range(120):
            start = time.perf_counter()
            run(planes)
            times.append(1e3 * (time.perf_counter() - start))
        return min(times)  # its threads give the processor away between layers: on a busy machine a median is of waiting

    def ours_ms():
        out = subprocess.run([args.perennial, "segment", "bench", args.sinet, "--json"], check=True, capture_output=True)
        return json.loads(out.stdout)["median_ms"]

    times = {"selfie": [], "sinet": []}
    for _ in range(args.rounds):
        times["sinet"].append(ours_ms())
        times["selfie"].append(theirs_ms())
    for name, size, s in (("selfie", side, theirs), ("sinet", 224, ours)):
        print(f"{name:7} {size}x{size}: {statistics.median(times[name]):.2f} ms "
              f"({min(times[name]):.2f} to {max(times[name]):.2f}), foreground IoU {100 * s['foreground_iou']:.2f} %, "
              f"mIoU {100 * s['miou']:.2f} %, boundary F1 {100 * s['boundary_f1']:.2f} % on {s['images']} images")


if __name__ == "__main__":
    main()
