#!/usr/bin/env python3
"""A matte that is personalised chunk after chunk: plain fine-tuning beside replay from a bounded memory.

usage: matte_chunks.py PERENNIAL WEIGHTS HUMAN_SEG [--epochs N] [--update-epochs N] [--update-lr X] [--few N]
                       [--seeds 1,2] [--memory M] [--keep DIR]

HUMAN_SEG is a folder of NNN.jpg with NNN.png (VikramShenoy97/Human-Segmentation-Dataset). Its numbers 1 to 110 and
257 to 300 are people from a web search, 111 to 256 mostly small figures in streets and halls (GRAZ-01): three chunks
of other people in other places. Every chunk is learned from SINet's published weights on, each third photograph
held out; printed is the foreground IoU on each chunk's held-out part after each chunk, and what was forgotten.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

CHUNKS = {"people": (1, 110), "streets": (111, 256), "more people": (257, 300)}


def spread(files, count):
    """About `count` of them, evenly over the list."""
    return files[::max(1, len(files) // count)][:count] if count else files


def link_chunks(source, out, few):
    folders = []
    for at, (name, (first, last)) in enumerate(CHUNKS.items()):
        folder = out / name.replace(" ", "_")
        for part, ending in (("images", ".jpg"), ("masks", ".png")):
            (folder / part).mkdir(parents=True, exist_ok=True)
            files = [f for f in sorted(source.glob("*" + ending)) if first <= int(f.stem) <= last]
            for file in spread(files, few if at else 0):
                link = folder / part / file.name
                if not link.exists():
                    link.symlink_to(file.resolve())
        folders.append(folder)
    return folders


def learn(perennial, weights, folders, run, learner, seed, args):
    options = ["--learner", learner, "--memory", str(args.memory), "--seed", str(seed), "--epochs", str(args.epochs),
               "--set", f"update.epochs={args.update_epochs or args.epochs}", "--set", f"update.lr={args.update_lr}",
               "--set", "eval.every=0"]
    subprocess.run([perennial, "segment", "train", "--data", folders[0], "--weights", weights, "--out", run, "--quiet",
                    *options], check=True, stdout=subprocess.DEVNULL)
    for folder in folders[1:]:
        subprocess.run([perennial, "update", run, "--data", folder, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return json.loads((run / "metrics.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("perennial")
    parser.add_argument("weights")
    parser.add_argument("human_seg", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--update-epochs", type=int, help="on the later chunks; default: as --epochs")
    parser.add_argument("--update-lr", type=float, default=0, help="there; 0: a quarter of the first rate")
    parser.add_argument("--few", type=int, default=0, help="take only so many photographs of the later chunks; 0: all")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--memory", default="60")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the runs in this folder")
    args = parser.parse_args()
    out = args.keep or pathlib.Path(tempfile.mkdtemp())
    folders = link_chunks(args.human_seg, out, args.few)
    seeds = [int(s) for s in args.seeds.split(",")]
    for learner in ("finetune", "er"):
        runs = [learn(args.perennial, args.weights, folders, out / f"{learner}-{s}", learner, s, args) for s in seeds]
        print(f"{learner}, {args.epochs} epochs a chunk, memory {args.memory}, seeds {args.seeds}")
        print(f"  {'before any training':24}" + "".join(
            f"{100 * r:7.1f}" for r in [runs[0]["chunks"][0]["before"]["foreground_iou"]]))
        for t, name in enumerate(CHUNKS):
            row = [statistics.mean(r["iou_matrix"][t][j] for r in runs) for j in range(t + 1)]
            print(f"  after {name:18}" + "".join(f"{100 * v:7.1f}" for v in row))
        lost = [100 * r["forgetting"] for r in runs]
        last = [100 * statistics.mean(r["iou_matrix"][-1]) for r in runs]
        print(f"  forgotten {statistics.mean(lost):.1f} points ({', '.join(f'{v:.1f}' for v in lost)}), "
              f"mean at the end {statistics.mean(last):.1f} ({', '.join(f'{v:.1f}' for v in last)})", flush=True)


if __name__ == "__main__":
    main()
