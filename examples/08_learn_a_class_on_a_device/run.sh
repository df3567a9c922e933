#!/usr/bin/env bash
# Learns two classes of photographs from five images each with a C program on the published MobileNet, and finds them again.
# usage: run.sh PERENNIAL CLASSES FOLDER        needs PERENNIAL_DATA (weights/ and caltech101/ in it) and Python's Pillow
set -euo pipefail
readonly perennial=$1 classes=$2 folder=$3 data=${PERENNIAL_DATA:-} python=${PYTHON:-python3}
readonly weights=$data/weights/mobilenet_v1_025_imagenet.safetensors photographs=$data/caltech101
[ -f "$weights" ] && [ -d "$photographs" ] || { echo "skipped: no published weights or photographs (set PERENNIAL_DATA)"; exit 0; }
"$python" -c 'import PIL' 2>/dev/null || { echo "skipped: no Pillow in this Python"; exit 0; }
rm -rf "$folder" && mkdir -p "$folder"

"$perennial" edge export --weights "$weights" -o "$folder/mobilenet.peb"
"$python" - "$photographs" "$folder" <<'PYTHON'
import pathlib, sys
from PIL import Image
source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
for part, count in (("train", 5), ("test", 4)):
    for name in ("Motorbikes", "sunflower"):
        for i, file in enumerate(sorted((source / part / name).glob("*.jpg"))[:count]):
            Image.open(file).convert("RGB").save(folder / f"{part}_{name}_{i}.ppm")
PYTHON
for name in Motorbikes sunflower; do
  "$classes" "$folder/mobilenet.peb" "$folder/learned.pec" learn "$name" "$folder/train_$name"_*.ppm
done
"$classes" "$folder/mobilenet.peb" "$folder/learned.pec" which "$folder"/test_*.ppm | tee "$folder/said.txt"
readonly wrong=$(grep -c -v -E 'test_(\w+)_[0-9]\.ppm: \1$' "$folder/said.txt" || true)
[ "$wrong" -le 1 ] || { echo "$wrong of 8 photographs went to another class"; exit 1; }
