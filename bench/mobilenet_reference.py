#!/usr/bin/env python3
"""MobileNet on the edge runtime beside a plain PyTorch reference and ONNX Runtime, and classes learned from five images.

    bench/mobilenet_reference.py PERENNIAL LIBRARY DATA [--dtype int8] [--rounds 5] [--runs 100] [--seeds 5] [--json FILE]

PERENNIAL is the binary, LIBRARY libperennial_edge.so, DATA the folder with weights/, tiny_imagenet20/ and caltech101/. Needs the
packages of bench/peer/requirements-mobilenet.txt. For each checkpoint:
  * tiny_imagenet20's 800 test photographs (64 x 64, enlarged; labels among all 1,000 classes and among the 20): top-1 and top-5 of both,
    how often they agree, the largest difference of a logit. Each resizes by itself; the runtime is also given the reference's planes.
  * milliseconds of a run, one thread, in turn with ONNX Runtime on the file that torch exports and on the one that perennial exports; the better
    one counts.
  * caltech101: from 20 classes drawn at random, five training images each are learned; accuracy on their test images (four each), mean and
    standard deviation over seeds; milliseconds of an image (resize and run), of an update, of a save.
Times are processor time of this process, medians of --runs in each of --rounds, but for saves, which wait for the disk.
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, tempfile, time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy
import onnxruntime
import torch
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peer"))
import edge_library, mobilenet_torch  # noqa: E402

CHECKPOINTS = ("mobilenet_v1_025_imagenet", "mobilenet_v1_025_128_imagenet_q8", "mobilenet_v2_100_224_imagenet_q8")
CLASSES, SHOTS = 20, 5


def photographs(folder, classes=None, most=None):
    """(label, pixels) of FOLDER/CLASS/*.jpg."""
    for name in sorted(p.name for p in folder.iterdir()) if classes is None else classes:
        for file in sorted((folder / name).glob("*.jpg"))[:most]:
            yield name, numpy.asarray(Image.open(file).convert("RGB"))


def typical(data, folder):
    """A folder of 100 training photographs, five of each class, to find the ranges of 8 bits with."""
    (folder / "typical").mkdir()
    for name in sorted(p.name for p in (data / "tiny_imagenet20/train").iterdir()):
        for file in sorted((data / "tiny_imagenet20/train" / name).glob("*.jpg"))[:5]:
            (folder / "typical" / f"{name}_{file.name}").symlink_to(file)
    return folder / "typical"


def ours_on(network, rgb):
    network.set_image(rgb)
    network.run()
    return [o.copy() for o in network.outputs]


def accuracy(network, reference, preprocess, data, folder):
    synsets = [line.split()[0] for line in (data / "weights/imagenet1000_synset_words.txt").read_text().splitlines()]
    test = list(photographs(data / "tiny_imagenet20/test"))
    ours = numpy.stack([ours_on(network, rgb)[0] for _, rgb in test])
    theirs, fed = [], []
    for begin in range(0, len(test), 50):
        planes = preprocess(numpy.stack([rgb for _, rgb in test[begin:begin + 50]]))
        theirs.append(reference(planes)[0].numpy())
        for one in planes.numpy():
            network.input[...] = one
            network.run()
            fed.append(network.outputs[0].copy())
    theirs, fed = numpy.concatenate(theirs), numpy.stack(fed)
    background = ours.shape[1] - len(synsets)  # TensorFlow's first class is none
    names = numpy.array(synsets)
    labels = numpy.array([synsets.index(name) + background for name, _ in test])
    twenty = numpy.array(sorted(set(labels)))

    def scores(logits):
        order = numpy.argsort(-logits, 1)
        return {"top1": float((order[:, 0] == labels).mean()), "top5": float((order[:, :5] == labels[:, None]).any(1).mean()),
                "top1_of_20": float((twenty[logits[:, twenty].argmax(1)] == labels).mean())}

    assert len(names) == 1000
    return {"images": len(test), "ours": scores(ours), "reference": scores(theirs),
            "agreement": float((ours.argmax(1) == theirs.argmax(1)).mean()),
            "largest_difference": float(abs(ours - theirs).max()), "largest_logit": float(abs(theirs).max()),
            "agreement_same_planes": float((fed.argmax(1) == theirs.argmax(1)).mean()),
            "largest_difference_same_planes": float(abs(fed - theirs).max())}


def session_of(file):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def speed(network, reference, side, args, folder):
    torch.onnx.export(reference, (torch.zeros(1, 3, side, side),), str(folder / "torch.onnx"), input_names=["image"],
                      output_names=["logits", "features"], opset_version=17, dynamo=False)
    sessions = {name: session_of(folder / name) for name in ("torch.onnx", "ours.onnx")}
    x = (numpy.arange(3 * side * side, dtype=numpy.float32).reshape(1, 3, side, side) % 255) / 127.5 - 1

    def clock(step, before=lambda: None, warm=10):
        times = []
        for i in range(warm + args.runs):
            before()
            begin = time.process_time()
            step()
            if i >= warm:
                times.append(1e3 * (time.process_time() - begin))
        return statistics.median(times)

    def fill():
        network.input[...] = x[0]

    times = {"perennial": []} | {name: [] for name in sessions}
    for _ in range(args.rounds):
        times["perennial"].append(clock(network.run, fill))
        for name, session in sessions.items():
            times[name].append(clock(lambda: session.run(None, {"image": x})))
    fill()
    network.run()
    error = max(float(abs(s.run(["logits"], {"image": x})[0].reshape(-1) - network.outputs[0].reshape(-1)).max()) for s in sessions.values())
    return {name: {"median_ms": statistics.median(t), "best_ms": min(t), "worst_ms": max(t)} for name, t in times.items()} | {
        "largest_difference": error, "better": min(sessions, key=lambda name: statistics.median(times[name]))}


def few_shot(network, data, seeds, folder):
    names = sorted(p.name for p in (data / "caltech101/train").iterdir())
    features, ms, scores, size = network.find("features"), {"image": [], "update": [], "save": []}, [], 0
    for seed in range(seeds):
        drawn = sorted(numpy.random.default_rng(seed).choice(names, CLASSES, replace=False))
        state = folder / f"state{seed}.pec"
        classes = edge_library.Classes(network, state, features)
        for name in drawn:
            files = sorted((data / "caltech101/train" / name).glob("*.jpg"))
            for i in numpy.random.default_rng([seed, 1]).choice(len(files), SHOTS, replace=False):
                rgb = numpy.asarray(Image.open(files[i]).convert("RGB"))
                begin = time.process_time()
                network.set_image(rgb)
                network.run()
                ran = time.process_time()
                classes.learn(name)
                learned, saving = time.process_time(), time.perf_counter()
                classes.save()
                ms["image"].append(1e3 * (ran - begin))
                ms["update"].append(1e3 * (learned - ran))
                ms["save"].append(1e3 * (time.perf_counter() - saving))
        size = classes.bytes()
        classes.close()
        classes = edge_library.Classes(network, state, features)  # what was saved
        right = []
        for name, rgb in photographs(data / "caltech101/test", drawn):
            ours_on(network, rgb)
            right.append(classes.predict() == name)
        classes.close()
        scores.append(float(numpy.mean(right)))
    return {"classes": CLASSES, "shots": SHOTS, "seeds": seeds, "accuracy": statistics.mean(scores),
            "deviation": statistics.stdev(scores) if seeds > 1 else 0.0, "state_bytes": size,
            "ms": {k: statistics.median(v) for k, v in ms.items()}}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("perennial"), p.add_argument("library"), p.add_argument("data", type=pathlib.Path)
    p.add_argument("--rounds", type=int, default=5), p.add_argument("--runs", type=int, default=100)
    p.add_argument("--seeds", type=int, default=5), p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "int8"), help="of the exported weights; int8 is calibrated")
    args = p.parse_args()
    torch.set_num_threads(1)
    library, all_results = edge_library.Library(args.library), {}
    for name in CHECKPOINTS:
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            folder, weights = pathlib.Path(folder), args.data / "weights" / f"{name}.safetensors"
            command = [args.perennial, "edge", "export", "--weights", str(weights), "-o", str(folder / "m.peb"), "--onnx", str(folder / "ours.onnx"),
                       "--dtype", args.dtype]
            if args.dtype == "int8":
                command += ["--calibrate", str(typical(args.data, folder))]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            network = edge_library.Network(library, folder / "m.peb")
            reference, side, preprocess = mobilenet_torch.load(weights)
            r = {"model_bytes": (folder / "m.peb").stat().st_size, "accuracy": accuracy(network, reference, preprocess, args.data, folder),
                 "few_shot": few_shot(network, args.data, args.seeds, folder), "speed": speed(network, reference, side, args, folder)}
        all_results[name] = r
        a, s, f = r["accuracy"], r["speed"], r["few_shot"]
        print(f"{name}, {side} x {side}, {r['model_bytes'] / 1e6:.2f} MB")
        for who in ("ours", "reference"):
            print(f"  {who:10} top-1 {100 * a[who]['top1']:.2f} %, top-5 {100 * a[who]['top5']:.2f} %, among the 20 {100 * a[who]['top1_of_20']:.2f} %")
        print(f"  agree on {100 * a['agreement']:.2f} % ({100 * a['agreement_same_planes']:.2f} % on the same planes); largest difference of a logit "
              f"{a['largest_difference']:.1e} ({a['largest_difference_same_planes']:.1e}) of {a['largest_logit']:.1f}")
        for who in ("perennial", "torch.onnx", "ours.onnx"):
            print(f"  a run {s[who]['median_ms']:.2f} ms ({s[who]['best_ms']:.2f} to {s[who]['worst_ms']:.2f})  "
                  f"{who if who == 'perennial' else 'ONNX Runtime on ' + who}")
        print(f"  {s[s['better']]['median_ms'] / s['perennial']['median_ms']:.2f} x; largest difference {s['largest_difference']:.1e}")
        print(f"  {f['shots']} shots of {f['classes']} classes: {100 * f['accuracy']:.1f} +- {100 * f['deviation']:.1f} % ({f['seeds']} seeds), state "
              f"{f['state_bytes']} bytes; ms: image {f['ms']['image']:.2f}, update {f['ms']['update']:.4f}, save {f['ms']['save']:.2f}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(all_results, indent=1) + "\n")


main()
