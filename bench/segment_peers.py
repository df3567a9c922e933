#!/usr/bin/env python3
"""SINet at 224 x 224 on one core, side by side: `perennial segment bench`, ncnn, OpenVINO, ONNX Runtime and PyTorch, in turn.

    bench/segment_peers.py PERENNIAL SINET.safetensors [--rounds 5] [--core 0] [--json FILE] [--without RUNTIME]

Needs the packages of bench/peer/requirements-segment.txt. Every runtime gets the same weights without subnormal values, one
thread, its own graph optimisations, float32; those that read ONNX get the file that torch exports and the one that perennial exports, ncnn
what pnnx makes of the traced network and of perennial's file, and the better of the two is shown. Each round runs them one after the
other, every runtime in a process of its own that is pinned to one core, and takes the median of its runs, in processor time of the
process: other work on the machine shows little in it. The table shows the median, best and worst of the rounds, and the largest
difference of the logits from PyTorch's.
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
SIDE, WARM, RUNS = 224, 20, 200


def image():
    import numpy
    c, y, x = numpy.meshgrid(range(3), range(SIDE), range(SIDE), indexing="ij")
    return (0.01 * numpy.sin(0.05 * x + 0.03 * y + c))[None].astype(numpy.float32)


def clock(step):
    times = []
    for i in range(WARM + RUNS):
        begin = time.process_time()
        out = step()
        if i >= WARM:
            times.append(1e3 * (time.process_time() - begin))
    return statistics.median(times), out


def run_torch(work, how):
    import torch
    torch.set_num_threads(1)
    sys.path.insert(0, str(HERE / "peer"))
    import sinet_torch
    net = sinet_torch.load(work["weights"]).to(memory_format=torch.channels_last)
    x = torch.from_numpy(image()).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        if how == "compiled":
            net = torch.compile(net)
        ms, out = clock(lambda: net(x))
    return ms, out.numpy()


def run_onnxruntime(work, file):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(work[file], options, providers=["CPUExecutionProvider"])
    x = image()
    return clock(lambda: session.run(None, {"image": x})[0])


def run_openvino(work, file):
    import openvino
    core = openvino.Core()
    model = core.compile_model(core.read_model(work[file]), "CPU", {
        "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request, x = model.create_infer_request(), openvino.Tensor(image())
    return clock(lambda: request.infer([x])[0])


def run_ncnn(work, file):
    import ncnn, numpy
    net = ncnn.Net()
    net.opt.num_threads = 1
    for name in dir(net.opt):
        if name.startswith(("use_fp16", "use_bf16")):
            setattr(net.opt, name, False)
    net.load_param(work[file] + ".param")
    net.load_model(work[file] + ".bin")
    x = ncnn.Mat(numpy.ascontiguousarray(image()[0])).clone()  # a Mat does not keep its array alive

    def step():
        extractor = net.create_extractor()
        extractor.input("in0", x)
        return extractor.extract("out0")[1]
    ms, out = clock(step)
    return ms, numpy.array(out)[None]


# A runtime, how it is run, and on which files.
PEERS = {"ncnn": (run_ncnn, ("ncnn", "ncnn of ours")), "OpenVINO": (run_openvino, ("onnx", "our onnx")),
         "ONNX Runtime": (run_onnxruntime, ("onnx", "our onnx")), "PyTorch, compiled": (run_torch, ("compiled",)),
         "PyTorch": (run_torch, ("eager",))}


def prepare(args, folder):
    """The network in the form that each runtime reads."""
    import torch
    sys.path.insert(0, str(HERE / "peer"))
    import sinet_torch
    net, x = sinet_torch.load(args.weights), torch.from_numpy(image())
    work = {"weights": str(args.weights), "onnx": str(folder / "sinet.onnx"), "our onnx": str(folder / "ours.onnx"),
            "ncnn": str(folder / "sinet.ncnn"), "ncnn of ours": str(folder / "ours.ncnn"), "peb": str(folder / "sinet.peb")}
    torch.onnx.export(net, (x,), work["onnx"], input_names=["image"], output_names=["logits"], opset_version=17, dynamo=False)
    torch.jit.trace(net, x).save(str(folder / "sinet.pt"))
    subprocess.run([args.perennial, "segment", "export", "--weights", args.weights, "-o", work["peb"], "--onnx", work["our onnx"]],
                   check=True, stdout=subprocess.DEVNULL)
    import pnnx
    pnnx.export(net, str(folder / "sinet.pt"), (x,), fp16=False)
    subprocess.run([pnnx.EXEC_PATH, work["our onnx"], f"inputshape=[1,3,{SIDE},{SIDE}]", "fp16=0"], cwd=folder, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return work


def ours(args, work):
    done = subprocess.run(["taskset", "-c", str(args.core), args.perennial, "segment", "bench", work["peb"], "--runs", str(RUNS), "--json"],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["median_ms"]


def theirs(args, work, name, file, folder):
    out = folder / "out.npy"
    done = subprocess.run(["taskset", "-c", str(args.core), sys.executable, __file__, "--peer", name, file, json.dumps(work), str(out)],
                          capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode != 0:
        print(f"{name} on {file}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return float(done.stdout.strip().splitlines()[-1])


def main():
    if sys.argv[1:2] == ["--peer"]:
        import numpy
        ms, out = PEERS[sys.argv[2]][0](json.loads(sys.argv[4]), sys.argv[3])
        numpy.save(sys.argv[5], out)
        print(ms)
        return
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("perennial"), p.add_argument("weights")
    p.add_argument("--rounds", type=int, default=5), p.add_argument("--core", type=int, default=0), p.add_argument("--json")
    p.add_argument("--without", action="append", default=[], choices=list(PEERS), help="a runtime to leave out; may be repeated")
    args = p.parse_args()
    for peer in args.without:
        del PEERS[peer]
    import numpy
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        work = prepare(args, folder)
        sys.path.insert(0, str(HERE / "peer"))
        import sinet_torch, torch
        reference = sinet_torch.load(args.weights)(torch.from_numpy(image())).detach().numpy()
        times, error = {"perennial": []}, {}
        for r in range(args.rounds):
            print(f"round {r + 1} of {args.rounds}", file=sys.stderr)
            times["perennial"].append(ours(args, work))
            for peer, (_, files) in PEERS.items():
                for file in files:
                    ms = theirs(args, work, peer, file, folder)
                    if ms is not None:
                        times.setdefault(f"{peer} ({file})", []).append(ms)
                        error[f"{peer} ({file})"] = float(abs(numpy.load(folder / "out.npy") - reference).max())
    for peer, (_, files) in PEERS.items():  # the better file stays
        rows = sorted((statistics.median(times[r]), r) for r in (f"{peer} ({file})" for file in files) if r in times)
        for ms, row in rows[1:]:
            print(f"left out: {row}, median {ms:.2f} ms", file=sys.stderr)
            del times[row], error[row]
    base = statistics.median(times["perennial"])
    print(f"{'':32}{'median ms':>10}{'best':>8}{'worst':>8}{'ratio':>8}{'error':>10}")
    for peer, ms in times.items():
        m = statistics.median(ms)
        shown = f"{error[peer]:10.1e}" if peer in error else ""
        print(f"{peer:32}{m:10.2f}{min(ms):8.2f}{max(ms):8.2f}{m / base:7.1f}x{shown}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps({"times": times, "error": error}, indent=1) + "\n")


main()
