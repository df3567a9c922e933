"""usage: onnx_check.py FOLDER: model.onnx is valid ONNX and makes logits.f32 of image.f32, to 1e-4."""
import pathlib
import sys

import numpy as np

try:
    import onnx
    import onnxruntime
except ImportError as error:
    print(error)
    sys.exit(77)

folder = pathlib.Path(sys.argv[1])
onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
image, logits = session.get_inputs()[0], session.get_outputs()[0]
given = np.fromfile(folder / "image.f32", np.float32).reshape(image.shape)
wanted = np.fromfile(folder / "logits.f32", np.float32).reshape(logits.shape)
(found,) = session.run([logits.name], {image.name: given})
error = float(np.abs(found - wanted).max())
print(f"largest difference {error:.2e}, largest logit {np.abs(wanted).max():.3f}")
sys.exit(0 if error < 1e-4 * max(1.0, float(np.abs(wanted).max())) else 1)
