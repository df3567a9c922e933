#!/usr/bin/env python3
"""Reads a run's event files with the real TensorBoard and compares their scalars with the run's own figures.

usage: read_events.py RUN [RUN ...]

A scalar named like a column of metrics.csv must equal that column at the row whose first step-like column (samples,
step or task) is the event's step. A scalar named like a top-level number of metrics.json must end on that number.
`accuracy` and `per_task/<j>` must equal the points of the curve in metrics.json; images must decode to their size.
Exit status: 0 all equal, 1 a difference or nothing to compare, 77 the package tensorboard is missing.
"""
import csv
import json
import math
import pathlib
import struct
import sys

STEP_COLUMNS = ("samples", "samples_seen", "step", "task")


def same(a, b):
    """Events hold float32."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b))


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def expected_points(run):
    """tag -> {step: value} from metrics.csv and the curve of metrics.json; tag -> last value for single figures."""
    points, last = {}, {}
    table = run / "metrics.csv"
    if table.exists():
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        step = next((c for c in STEP_COLUMNS if rows and c in rows[0]), None)
        for row in rows if step else []:
            for column, text in row.items():
                if column != step and number(text) is not None and number(row[step]) is not None:
                    points.setdefault(column, {})[int(number(row[step]))] = number(text)
    metrics = json.loads((run / "metrics.json").read_text())
    for point in metrics.get("curve") or []:
        samples = int(point["samples"])
        points.setdefault("accuracy", {})[samples] = point["accuracy"]
        for j, value in enumerate(point.get("per_task") or []):
            if value is not None:
                points.setdefault(f"per_task/{j}", {})[samples] = value
    for key, value in metrics.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            last[key] = float(value)
    return points, last


def check_scalars(events, points, last):
    compared, wrong = 0, []
    for tag in events.Tags()["scalars"]:
        found = events.Scalars(tag)
        for scalar in found if tag in points else []:
            if scalar.step in points[tag]:
                compared += 1
                if not same(scalar.value, points[tag][scalar.step]):
                    wrong.append(f"{tag} at {scalar.step}: event {scalar.value}, file {points[tag][scalar.step]}")
            else:
                wrong.append(f"{tag} at {scalar.step}: no such row in metrics.csv or metrics.json")
        if tag in points and {s.step for s in found} != set(points[tag]):
            wrong.append(f"{tag}: {len(found)} events for {len(points[tag])} points")
        if tag not in points and tag in last:
            compared += 1
            if not same(found[-1].value, last[tag]):
                wrong.append(f"{tag}: event {found[-1].value}, metrics.json {last[tag]}")
    return compared, wrong


def check_images(events):
    wrong = []
    for tag in events.Tags()["images"]:
        for image in events.Images(tag):
            head = image.encoded_image_string[:24]
            if head[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", head[16:24]) != (image.width, image.height):
                wrong.append(f"image {tag} at {image.step}: not a PNG of {image.width} x {image.height}")
    return wrong


def check(run):
    from tensorboard.backend.event_processing import event_accumulator

    everything = {event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0}
    events = event_accumulator.EventAccumulator(str(run), size_guidance=everything)
    events.Reload()
    compared, wrong = check_scalars(events, *expected_points(run))
    wrong += check_images(events)
    if compared == 0:
        wrong.append("no scalar has a counterpart in metrics.csv or metrics.json")
    for line in wrong:
        print(f"{run}: {line}", file=sys.stderr)
    tags = events.Tags()
    print(f"{run}: {compared} scalars equal of {len(tags['scalars'])} tags, {len(tags['images'])} image tags"
          if not wrong else f"{run}: {len(wrong)} differences")
    return not wrong


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        print("skipped: the package tensorboard is not installed (pip install tensorboard)")
        return 77
    return 0 if all([check(pathlib.Path(run)) for run in arguments]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
