#!/usr/bin/env python3
"""Runs a table of learners over seeds and prints mean and standard deviation of what was measured.

usage: bench/table.py TABLE PERENNIAL --data DATA --out FOLDER [--seeds 1,2,3] [--jobs 2] [--only ROW,ROW] [-- flags]

TABLE is one of those below. DATA is the folder of the unpacked set. Runs that are there already are not run again, so an
interrupted table goes on; `perennial compare FOLDER/*` draws it. Flags after -- go to every run.
Python's standard library only.
"""
import argparse, concurrent.futures, json, pathlib, statistics, subprocess, sys

RELEASED = ["--as-released", "--best-epoch", "--augment", "none"]
MNIST = ["--stream", "blurry10", "--tasks", "5", "--memory", "500", "--model", "mlp400", "--epochs", "5", "--batch", "16"]
CIFAR = ["--stream", "blurry10", "--tasks", "5", "--memory", "500", "--model", "resnet18", "--width", "0.25",
         "--batch", "16", "--epochs", "64", "--dtype", "bfloat16", "--augment", "crop,flip,cutmix,autoaugment",
         "--set", "train.memory_batch=16"]

# Which of the choices to make the default: on a tenth of the training part, held out; the test part is not read.
TENTH = ["--set", "train.stream_lr_factor=0.1"]
CHOICES = {
    "rm-tenth": ["--learner", "rm", *TENTH],
    "rm-tenth-value": ["--learner", "rm", *TENTH, "--set", "rm.stride=value"],
    "rm-tenth-confidence": ["--learner", "rm", *TENTH, "--set", "rm.uncertainty=confidence"],
    "rm-tenth-both": ["--learner", "rm", *TENTH, "--set", "rm.stride=value", "--set", "rm.uncertainty=confidence"],
    "rm-tenth-random": ["--learner", "rm", *TENTH, "--set", "rm.policy=random"],
    "rm": ["--learner", "rm"],
    "rm-value": ["--learner", "rm", "--set", "rm.stride=value"],
    "er-tenth": ["--learner", "er", *TENTH],
    "er": ["--learner", "er"],
}
VALIDATE = ["--set", "data.validate=0.1", "--eval-every", "1000"]

TABLES = {
    # Rainbow Memory's MNIST row: blurry10-online, K = 500, MLP-400, 5 epochs.
    "mnist": ("mnist", {
        "rm": MNIST + ["--learner", "rm"],
        "rm-random": MNIST + ["--learner", "rm", "--set", "rm.policy=random"],
        "er": MNIST + ["--learner", "er"],
        "ewc": MNIST + ["--learner", "ewc"],
        "gdumb": MNIST + ["--learner", "gdumb"],
        "finetune": MNIST + ["--learner", "finetune", "--set", "finetune.revisit=false"],
        "rm-released": MNIST + ["--learner", "rm"] + RELEASED,
        "ewc-released": MNIST + ["--learner", "ewc"] + RELEASED,
        "gdumb-released": MNIST + ["--learner", "gdumb"] + RELEASED,
    }),
    # CIFAR-10, blurry10-online, K = 500, everyone under the same augmentation. Cut down for two processor cores: ResNet-18
    # a quarter wide, 64 memory epochs of batch 16 instead of 256 of batch 8, bfloat16.
    "cifar10": ("cifar10", {
        "rm": CIFAR + ["--learner", "rm"],
        "er": CIFAR + ["--learner", "er"],
        "ewc": CIFAR + ["--learner", "ewc"],
        "gdumb": CIFAR + ["--learner", "gdumb"],
        "rm-random": CIFAR + ["--learner", "rm", "--set", "rm.policy=random"],
        "rm-certain": CIFAR + ["--learner", "rm", "--set", "rm.policy=certain"],
        "finetune": CIFAR + ["--learner", "finetune", "--set", "finetune.revisit=false"],
    }),
    "mnist-choices": ("mnist", {name: MNIST + VALIDATE + flags for name, flags in CHOICES.items()}),
    "cifar10-choices": ("cifar10", {name: CIFAR + VALIDATE + flags for name, flags in CHOICES.items()}),
}


def learn(perennial, data, flags, seed, run, extra):
    if (run / "checkpoint").is_dir() and list((run / "checkpoint").glob("*.safetensors")):
        command = [perennial, "resume", str(run), "--quiet"]
    else:
        command = [perennial, "learn", "--data", data, "--seed", str(seed), "--threads", "1", "--quiet", "--out", str(run),
                   *flags, *extra]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")


def spread(values):
    if not values:
        return "-"
    return f"{statistics.mean(values):.2f} +- {statistics.stdev(values) if len(values) > 1 else 0:.2f}"


def row_text(name, runs):
    ms = [json.loads((r / "metrics.json").read_text()) for r in runs if (r / "metrics.json").exists()]
    last = [100 * m["a_last"] for m in ms if m["finished"]]
    best = [100 * m["best_epoch"][-1]["accuracy"] for m in ms if m.get("best_epoch")]
    when = ",".join(str(m["best_epoch"][-1]["epoch"]) for m in ms if m.get("best_epoch"))
    figure = lambda key: spread([100 * m[key] for m in ms if m["finished"] and m[key] is not None])
    seconds = [m["wall_seconds"] for m in ms if m["finished"]]
    peek = f"{spread(best)} ({when})" if best else "-"
    seeds = ", ".join(f"{v:.2f}" for v in last)
    return (f"{name:20} {spread(last):16} {figure('a_avg'):16} {figure('a_auc'):16} {figure('f_last'):16} {peek:24} "
            f"{spread(seconds):18} {seeds}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("perennial")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("flags", nargs="*")
    args = parser.parse_args()
    kind, rows = TABLES[args.table]
    if args.only:
        rows = {n: rows[n] for n in args.only.split(",")}
    seeds = [int(s) for s in args.seeds.split(",")]
    args.out.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(learn, args.perennial, f"{kind}:{args.data}", flags, seed, args.out / f"{name}-{seed}",
                               args.flags)
                   for seed in seeds for name, flags in rows.items()]
        for w in waiting:
            w.result()
    print(f"{'row':20} {'A_last, %':16} {'A_avg':16} {'A_AUC':16} {'F_last':16} {'best epoch (peeking)':24} {'seconds':18} "
          "A_last by seed")
    for name in rows:
        print(row_text(name, [args.out / f"{name}-{s}" for s in seeds]))


main()
