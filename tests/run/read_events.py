#!/usr/bin/env python3
"""Reads a run's event files with the real TensorBoard and compares their scalars with the run's own figures.

usage: read_events.py RUN [RUN ...]

`accuracy/<event>` must equal the accuracy of the rows of that event (interval, task) in metrics.csv, at their number of
samples; `accuracy/all` both in turn, `accuracy/task_N` the curve and the matrix of metrics.json; `memory/class/NAME` and
`memory/samples` its memory_history, `forgetting` what follows from its matrix; a scalar named like a top-level number of
metrics.json must end on that number. Loss, learning rate and throughput are there for the same steps, each step once and rising.
Images must decode to their size.
Exit status: 0 all equal, 1 a difference or nothing to compare, 77 the package tensorboard is missing.
"""
import csv
import json
import math
import pathlib
import struct
import sys


def same(a, b):
    """Events hold float32."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b))


def expected_points(run):
    """tag -> {samples: value}; tag -> last value for single figures; the updates."""
    points = {}
    with (run / "metrics.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            points.setdefault("accuracy/" + row["event"], {})[int(row["samples"])] = float(row["accuracy"])
    metrics = json.loads((run / "metrics.json").read_text())
    for samples, counts in zip(metrics.get("task_samples") or [], metrics.get("memory_history") or []):
        points.setdefault("memory/samples", {})[int(samples)] = float(sum(counts))
    last = {k: float(v) for k, v in metrics.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    return points, last, metrics.get("updates") or []


def check_points(tag, found, expected, updates):
    """Updates come after the rows of the table and have only their accuracy on record."""
    end = max(expected)
    wrong = [f"{tag} at {s.step}: no such row" for s in found if s.step not in expected and (s.step <= end or not updates)]
    wrong += [f"{tag} at {step}: no event" for step in expected if step not in {s.step for s in found}]
    pairs = [(s.step, s.value, expected[s.step]) for s in found if s.step in expected]
    if tag == "accuracy/task":
        pairs += [(s.step, s.value, u["accuracy"]) for s, u in zip((s for s in found if s.step > end), updates)]
    wrong += [f"{tag} at {step}: event {a}, file {b}" for step, a, b in pairs if not same(a, b)]
    return len(pairs), wrong


def check_scalars(events, points, last, updates):
    compared, wrong = 0, []
    for tag in events.Tags()["scalars"]:
        found = events.Scalars(tag)
        if tag in points:
            pairs, differences = check_points(tag, found, points[tag], updates)
            compared += pairs
            wrong += differences
        elif tag in last:
            compared += 1
            if not same(found[-1].value, last[tag]):
                wrong.append(f"{tag}: event {found[-1].value}, metrics.json {last[tag]}")
    wrong += [f"{tag}: no events" for tag in points if tag not in events.Tags()["scalars"]]
    return compared, wrong


def expected_curves(metrics):
    """tag -> [(samples, value)] of what is measured at intervals and after tasks, in the order of its being measured."""
    ends = list(zip(metrics["task_samples"], metrics["task_accuracy"], metrics["accuracy_matrix"]))
    rows = [(p["samples"], 0, p["accuracy"], p["per_task"]) for p in metrics["curve"]]
    rows += [(samples, 1, accuracy, row) for samples, accuracy, row in ends]
    curves = {"forgetting": []}
    for samples, _, accuracy, per_task in sorted(rows, key=lambda row: row[:2]):
        curves.setdefault("accuracy/all", []).append((samples, accuracy))
        for t, value in enumerate(per_task):
            if value is not None:
                curves.setdefault(f"accuracy/task_{t + 1}", []).append((samples, value))
    for t in range(1, len(ends)):
        lost = []
        for j in range(t):
            before = [ends[i][2][j] for i in range(t) if ends[i][2][j] is not None]
            if before:
                lost.append(max(before) - ends[t][2][j])
        if len(lost) == t:
            curves["forgetting"].append((ends[t][0], sum(lost) / len(lost)))
    return curves


def check_curves(events, metrics):
    compared, wrong = 0, []
    tags = events.Tags()["scalars"]
    for tag, expected in expected_curves(metrics).items():
        found = [(s.step, s.value) for s in events.Scalars(tag)] if tag in tags else []
        compared += len(found)
        if len(found) != len(expected) or any(a[0] != b[0] or not same(a[1], b[1]) for a, b in zip(found, expected)):
            wrong.append(f"{tag}: events {found}, metrics.json {expected}")
    for samples, counts in zip(metrics["task_samples"], metrics["memory_history"]):
        for name, count in zip(metrics["class_names"], counts):
            found = [s.value for s in events.Scalars(f"memory/class/{name}") if s.step == samples] if f"memory/class/{name}" in tags else []
            compared += len(found)
            if count and (not found or found[-1] != count):
                wrong.append(f"memory/class/{name} at {samples}: events {found}, metrics.json {count}")
    steps = {tag: [s.step for s in events.Scalars(tag)] for tag in ("train/loss", "train/lr", "train/steps_per_second") if tag in tags}
    for tag, at in steps.items():
        if at != sorted(set(at)) or at != steps["train/loss"]:
            wrong.append(f"{tag}: steps {at}")
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
    try:
        compared, wrong = check_scalars(events, *expected_points(run))
        more, differences = check_curves(events, json.loads((run / "metrics.json").read_text()))
    except OSError as error:
        print(f"{run}: {error.strerror}: {error.filename}", file=sys.stderr)
        return False
    compared += more
    wrong += differences + check_images(events)
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
