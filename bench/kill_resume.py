#!/usr/bin/env python3
"""Kills runs at random moments, resumes them, and compares the endings bit by bit with a run that was never killed.

usage: bench/kill_resume.py PERENNIAL [--runs 50] [--learner rm,er] [--robust none,selfie] [--data digits] [--seed 1] [-- more flags of learn]

A run is started, sent SIGKILL after a random time, resumed, killed again (up to --kills times) and at last left to end.
Equal means: the same tensors in the learner's part of the last checkpoint, the same model.safetensors, and the same
metrics.json but for times and memory use. Exit status 1 when any ending differs. Python's standard library only.
"""
import argparse, json, pathlib, random, shutil, signal, struct, subprocess, sys, tempfile, time

VOLATILE = {"wall_seconds", "samples_per_second", "peak_rss_bytes", "phases", "seconds"}


def stable(value):
    if isinstance(value, dict):
        return {k: stable(v) for k, v in value.items() if k not in VOLATILE}
    return [stable(v) for v in value] if isinstance(value, list) else value


def tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (e["dtype"], e["shape"], data[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]])
            for name, e in header.items()}


def ending(run):
    last = sorted((run / "checkpoint").glob("*.safetensors"))[-1]
    return tensors(last), (run / "model.safetensors").read_bytes(), stable(json.loads((run / "metrics.json").read_text()))


def differences(a, b):
    found = [f"tensor {n}" for n in sorted(a[0].keys() | b[0].keys()) if a[0].get(n) != b[0].get(n)]
    if a[1] != b[1]:
        found.append("model.safetensors")
    found += [f"metrics.json: {k}" for k in sorted(a[2].keys() | b[2].keys()) if a[2].get(k) != b[2].get(k)]
    return found


def until_killed(command, seconds):
    """True when it was killed, False when it ended by itself."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {process.stderr.read().decode()}")
    return False


def killed_and_resumed(args, moments, learner, robust):
    """How many of the endings of args.runs runs are equal to that of one that was never killed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kill-resume-"))
    name = learner if robust == "auto" else f"{learner}, robust {robust}"

    def learn(run):
        return [args.perennial, "learn", "--data", args.data, "--learner", learner, "--memory", "100", "--threads", "1",
                *([] if robust == "auto" else ["--robust", robust]),
                "--set", "checkpoint.seconds=0.05", "--quiet", "--out", str(run), *args.flags]

    start = time.monotonic()
    subprocess.run(learn(folder / "whole"), check=True, stdout=subprocess.DEVNULL)
    length = time.monotonic() - start
    expected = ending(folder / "whole")

    equal = kills = 0
    for i in range(args.runs):
        run = folder / f"run{i}"
        command = learn(run)
        for _ in range(args.kills):
            if not until_killed(command, moments.uniform(0, length)):
                break
            kills += 1
            if list((run / "checkpoint").glob("*.safetensors")):  # before its first checkpoint the same command begins again
                command = [args.perennial, "resume", str(run), "--quiet"]
        else:
            until_killed(command, None)
        found = differences(expected, ending(run))
        equal += not found
        if found:
            print(f"{name}, run {i}: {len(found)} differences, the first: {', '.join(found[:5])}; kept in {run}")
        else:
            shutil.rmtree(run)
    print(f"{name}: {equal} of {args.runs} endings bit-equal after {kills} kills (one never killed takes {length:.1f} s)", flush=True)
    if equal == args.runs:
        shutil.rmtree(folder)
    return equal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("perennial")
    parser.add_argument("--runs", type=int, default=50, help="of each learner")
    parser.add_argument("--kills", type=int, default=3, help="at most this many kills of one run")
    parser.add_argument("--learner", default="rm", help="several: with commas between them")
    parser.add_argument("--robust", default="auto", help="robust training, of each learner; several: with commas; auto: its own")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:end])
    args.flags = sys.argv[end + 1:]
    moments = random.Random(args.seed)
    rows = [(learner, robust) for learner in args.learner.split(",") for robust in args.robust.split(",")]
    equal = sum(killed_and_resumed(args, moments, *row) for row in rows)
    print(f"{equal} of {args.runs * len(rows)} endings bit-equal")
    sys.exit(equal != args.runs * len(rows))


main()
