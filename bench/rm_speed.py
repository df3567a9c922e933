#!/usr/bin/env python3
"""Rainbow Memory's speed: `perennial learn --learner rm` beside a plain PyTorch program that works as the released code
does (bench/peer/rainbow_memory.py), one after the other in one run of this script, with equal work, alternating.

    python3 bench/rm_speed.py --data cifar10:DIR --python VENV/bin/python            # full tasks: hours
    python3 bench/rm_speed.py --data cifar10:DIR --python VENV/bin/python --samples-per-task 1000 --epochs 4 --repeats 3

VENV has the packages of bench/peer/requirements.txt. Four comparisons:

  whole run, as released          ours, test set once per task | peer, test set after every epoch at batch 8
  whole run, evaluation as ours   ours                         | peer, test set once per task at batch 512
  uncertainty pass                12 views of a task's stream and a full memory
  one training epoch              a full memory at half the batch size, with augmentation

Equal work: both get the same task sizes, memory, views, steps, batch sizes and augmentation, a fresh head per task, a
random choice in the first task (`as_released`); the images that went through the net are printed for both. Ours are
derived from the task sizes, memory and evaluations in metrics.json by the rules of the method.
Clocks: ours is `wall_seconds`, which includes reading the data set, checkpoints and the report; the peer's starts after
its imports and after it wrote its PNG files.

The floor. Operations: multiply-adds of an image forward (F) times the images of each phase, three times in training:

  F                  M multiply-adds    layer inputs and outputs, float32
  mlp400                        1.10    0.016 MB
  resnet32                     69.1      2.57 MB
  resnet18                    555.4      5.13 MB
  resnet18 x 0.25              35.0      1.29 MB

  stream                  3 F (N + (T - 1) 2 N)      N stream samples a task; half of each later batch is memory
  uncertainty             F 12 (T - 1) (N + K)       K memory samples
  memory training         3 F T E K                  E epochs
  evaluation, ours        F T V                      V test images
  evaluation, released    F T (E + 1) V

At T = 5, N = 10,000, K = 500, E = 256, V = 10,000 that is 0.27 + 0.50 + 1.92 + 0.05 M F against 0.27 + 0.50 + 1.92 +
12.85 M F: at an equal rate, evaluating after every epoch alone makes a run 5.7 times as long. The floor's seconds
that are printed are these multiply-adds at the rate of a 1024 x 1024 matrix product measured in the same run.
Bytes: a sample is 3 HW bytes of uint8, read once per use; a view is written once as uint8 and once as float (15 HW
bytes: 15 kB at 32 x 32), against megabytes of layer inputs and outputs per image as above. So with a convolutional net
the net is the bound, and what can be gained in a phase is the peer's time around its net: at 30 G multiply-adds a second
resnet18 x 0.25 takes 1.2 ms an image; opening, decoding and augmenting a PNG file takes 0.16 ms. With mlp400 it is
the other way round: 0.04 ms of net.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLASSES = {"cifar10": "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck", "mnist": "0,1,2,3,4,5,6,7,8,9"}
VIEWS = 12
PHASES = ("stream", "uncertainty", "selection", "memory training", "evaluation")


def run(command, title):
    print(f"  {title} ...", end="", file=sys.stderr, flush=True)
    start = time.perf_counter()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    print(f" {time.perf_counter() - start:.1f} s", file=sys.stderr)
    if done.returncode != 0:
        raise SystemExit(f"{title} failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return done.stdout


def run_peer(args, folder, *more, tasks=None, epochs=None):
    command = [args.python, ROOT / "bench/peer/rainbow_memory.py", "--data", args.data, "--model", args.model,
               "--width", args.width, "--tasks", tasks or args.tasks, "--memory", args.memory, "--epochs",
               epochs or args.epochs, "--batch", args.batch, "--samples-per-task", args.samples_per_task, "--minor", 10,
               "--augment", args.augment, "--seed", args.seed, "--threads", args.threads, "--workers", args.workers,
               "--png", folder / "png", "--json", *more]
    return json.loads(run(command, "peer  " + " ".join(more)))


def run_ours(args, folder, tasks=None, epochs=None):
    tasks, out = tasks or args.tasks, folder / "ours"
    shutil.rmtree(out, ignore_errors=True)
    options = {"stream.class_order": CLASSES[args.data.partition(":")[0]], "train.augment": args.augment,
               "stream.limit": tasks * args.samples_per_task, "eval.best_epoch": "false"}
    command = [args.binary, "learn", "--data", args.data, "--stream", "blurry10", "--tasks", tasks, "--memory",
               args.memory, "--learner", "rm", "--dtype", args.dtype, "--model", args.model, "--width", args.width, "--epochs",
               epochs or args.epochs, "--batch", args.batch, "--seed", args.seed, "--threads", args.threads,
               "--as-released", "--quiet", "--out", out]
    for name, value in options.items():
        command += ["--set", f"{name}={value}"]
    start = time.perf_counter()
    run(command, "perennial")
    elapsed = time.perf_counter() - start
    metrics = json.loads((out / "metrics.json").read_text())
    seconds = {k: v for k, v in metrics["phases"].items() if k in PHASES}
    seconds["whole"] = metrics["wall_seconds"]
    return {"seconds": seconds, "process_seconds": elapsed, "images": our_images(metrics, args, epochs or args.epochs),
            "task_samples": task_sizes(metrics), "memory": metrics["memory_samples"],
            "evaluations": metrics["test_evaluations"], "last_epoch_accuracy": metrics["a_last"],
            "task_accuracy": metrics["task_accuracy"], "peak_rss_bytes": metrics["peak_rss_bytes"],
            "version": metrics["version"]}


def task_sizes(metrics):
    ends = metrics["task_samples"]
    return [b - a for a, b in zip([0] + ends, ends)]


def our_images(metrics, args, epochs):
    """Images through the net by phase, from what metrics.json says and the rules of the method."""
    images, memory = dict.fromkeys(("stream", "uncertainty", "memory training"), 0), 0
    for task, samples in enumerate(task_sizes(metrics)):
        replayed = args.batch // 2 if memory else 0
        images["stream"] += samples // (args.batch - replayed) * args.batch
        images["uncertainty"] += VIEWS * (samples + memory) if task > 0 else 0
        memory = sum(metrics["memory_history"][task])
        alone = memory % (args.batch // 2) == 1  # one sample is no batch for batch normalisation
        images["memory training"] += epochs * (memory - alone)
    images["evaluation"] = metrics["test_evaluations"] * sum(map(sum, metrics["confusion"]))
    return images


def middle(runs, phase):
    return statistics.median(r["seconds"].get(phase, 0.0) for r in runs)


def row(name, ours, theirs, our_images, peer_images, macs):
    return {"what": name, "ours_seconds": ours, "peer_seconds": theirs, "ratio": theirs / ours,
            "ours_images": our_images, "peer_images": peer_images, "ours_macs": macs(our_images),
            "peer_macs": macs(peer_images)}


def forward_equivalents(images):
    return sum(count * (3 if phase in ("stream", "memory training", "epoch") else 1) for phase, count in images.items())


def whole_rows(ours, released, reduced):
    macs = lambda images: released[0]["macs_per_image"] * forward_equivalents(images)
    rows = [row(name, middle(ours, "whole"), middle(peer, "whole"), ours[0]["images"], peer[0]["images"], macs)
            for name, peer in (("whole run, as released", released), ("whole run, evaluation as ours", reduced))]
    for phase in PHASES:
        if middle(ours, phase) > 0:
            count = [{phase: runs[0]["images"].get(phase, 0)} for runs in (ours, reduced)]
            rows.append(row("  of it " + phase, middle(ours, phase), middle(reduced, phase), *count, macs))
    return rows


def projected(ours, released, reduced):
    """Seconds of a run at the published length (5 tasks of 10,000, K = 500, 256 epochs, 10,000 test images) at the measured
    rates of each phase: ours, the released way, the released way with our evaluation."""
    tasks, samples, memory, epochs, test = 5, 10000, 500, 256, 10000
    images = {"stream": samples * (2 * tasks - 1), "uncertainty": VIEWS * (tasks - 1) * (samples + memory),
              "memory training": tasks * epochs * memory}
    rate = lambda runs, phase: middle(runs, phase) / max(1, runs[0]["images"].get(phase, 0))
    total = lambda runs, evaluations: (sum(count * rate(runs, phase) for phase, count in images.items())
                                       + test * evaluations * rate(runs, "evaluation"))
    return total(ours, tasks), total(released, tasks * (epochs + 1)), total(reduced, tasks)


def part_rows(ours, uncertainty, epoch, epochs):
    macs = lambda images: epoch[0]["macs_per_image"] * forward_equivalents(images)
    count = lambda phase, by=1: {phase: ours[0]["images"][phase] // by}
    passes = len(ours[0]["task_samples"])
    return [row("uncertainty pass", middle(ours, "uncertainty"), middle(uncertainty, "uncertainty"),
                count("uncertainty"), uncertainty[0]["images"], macs),
            row("one training epoch", middle(ours, "memory training") / (passes * epochs), middle(epoch, "epoch"),
                count("memory training", passes * epochs), epoch[0]["images"], macs)]


def alternate(sides, repeats):
    """Runs every side `repeats` times, in turn, every other time in reverse order."""
    runs = {name: [] for name in sides}
    for i in range(repeats):
        print(f"round {i + 1} of {repeats}", file=sys.stderr)
        for name in list(sides) if i % 2 == 0 else reversed(sides):
            runs[name].append(sides[name]())
    return runs


def compare(args, folder):
    rows, raw = [], {}
    if args.only in ("", "parts"):
        raw |= alternate({"ours_parts": lambda: run_ours(args, folder, 2, args.part_epochs),
                          "peer_uncertainty": lambda: run_peer(args, folder, "--phase", "uncertainty", tasks=2),
                          "peer_epoch": lambda: run_peer(args, folder, "--phase", "epoch", tasks=2,
                                                         epochs=args.part_epochs)}, args.repeats)
    if args.only in ("", "whole"):
        raw |= alternate({"ours": lambda: run_ours(args, folder),
                          "peer_released": lambda: run_peer(args, folder),
                          "peer_reduced": lambda: run_peer(args, folder, "--eval-once")}, args.repeats)
        rows += whole_rows(raw["ours"], raw["peer_released"], raw["peer_reduced"])
    if "ours_parts" in raw:
        rows += part_rows(raw["ours_parts"], raw["peer_uncertainty"], raw["peer_epoch"], args.part_epochs)
    peers = [r for name, runs in raw.items() if name.startswith("peer") for r in runs]
    peak = max(r["matmul_macs_per_second"] for r in peers)
    for r in rows:
        r["floor_seconds"] = r["ours_macs"] / peak
        r["equal_images"] = forward_equivalents(r["ours_images"]) == forward_equivalents(r["peer_images"])
    return {"arguments": vars(args), "cores": os.cpu_count(), "load": os.getloadavg()[0], "torch": peers[0]["torch"],
            "macs_per_image": peers[0]["macs_per_image"], "matmul_macs_per_second": peak, "rows": rows, "runs": raw}


def show(result):
    a = result["arguments"]
    tasks = f"{a['tasks']} tasks, {a['epochs']} epochs, " if a["only"] != "parts" else ""
    print(f"{a['data'].partition(':')[0]}, {a['model']} x {a['width']}, {tasks}"
          f"{a['samples_per_task'] or 'all'} samples a task, memory {a['memory']}, batch {a['batch']}, "
          f"{a['threads']} thread(s), ours in {a['dtype']}, median of {a['repeats']}; {result['cores']} cores, load {result['load']:.1f}")
    print(f"{result['macs_per_image'] / 1e6:.2f} M multiply-adds per image; the floor is at "
          f"{result['matmul_macs_per_second'] / 1e9:.0f} G/s")
    print(f"{'':32}{'ours s':>9}{'peer s':>9}{'ratio':>8}{'floor s':>9}{'ours images':>13}{'peer images':>13}")
    for r in result["rows"]:
        counts = [sum(r[side].values()) for side in ("ours_images", "peer_images")]
        print(f"{r['what']:32}{r['ours_seconds']:9.2f}{r['peer_seconds']:9.2f}{r['ratio']:7.1f}x"
              f"{r['floor_seconds']:9.2f}{counts[0]:13d}{counts[1]:13d}"
              + ("" if r["equal_images"] or "released" in r["what"] else "  NOT EQUAL"))
    if "ours" in result["runs"] and a["data"].startswith("cifar10"):
        ours, released, reduced = projected(*(result["runs"][name] for name in ("ours", "peer_released", "peer_reduced")))
        print(f"at these rates a run of the published length: ours {ours / 60:.0f} min, as released {released / 60:.0f} min "
              f"({released / ours:.1f}x), evaluation as ours {reduced / 60:.0f} min ({reduced / ours:.1f}x); computed, not run")
    for name in ("ours", "peer_released", "peer_reduced"):
        for r in result["runs"].get(name, [])[:1]:
            print(f"{name}: tasks {r['task_samples']}, images {r['images']}, {r['evaluations']} evaluations, "
                  f"last-epoch accuracy {100 * r['last_epoch_accuracy']:.2f} %, "
                  f"peak memory {r['peak_rss_bytes'] / 2**20:.0f} MiB")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="cifar10:DIR or mnist:DIR")
    p.add_argument("--binary", default=ROOT / "build/release/bin/perennial", type=pathlib.Path)
    p.add_argument("--python", default=sys.executable, help="a Python with bench/peer/requirements.txt")
    p.add_argument("--model", default="resnet18", choices=("mlp400", "resnet18", "resnet32"))
    p.add_argument("--width", type=float, default=0.25)
    p.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"),
                   help="of ours; the peer computes in float32 as the released code does")
    p.add_argument("--tasks", type=int, default=5)
    p.add_argument("--memory", type=int, default=500)
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--part-epochs", type=int, default=3, help="epochs that the comparison of one epoch is made over")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--augment", default="crop,flip,cutmix,autoaugment")
    p.add_argument("--samples-per-task", type=int, default=0, help="shorten the tasks to this many; 0: all")
    p.add_argument("--only", default="", choices=("", "whole", "parts"))
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--workers", type=int, default=0, help="data loader processes of the peer; 0: in its own")
    p.add_argument("--json", metavar="FILE", help="write everything measured there")
    args = p.parse_args()
    if not args.binary.is_file():
        p.error(f"{args.binary} is missing: build it, or name it with --binary")
    args.binary = str(args.binary)
    return args


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="rm-speed-") as folder:
        result = compare(args, pathlib.Path(folder))
    show(result)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
