#!/usr/bin/env bash
# Exports the published SINet to a model file and runs it from a C program on a drawn person.
# usage: run.sh PERENNIAL MATTE FOLDER        needs PERENNIAL_DATA (weights/sinet_portrait.safetensors in it)
set -euo pipefail
readonly perennial=$1 matte=$2 folder=$3
readonly weights=${PERENNIAL_DATA:-}/weights/sinet_portrait.safetensors
[ -f "$weights" ] || { echo "skipped: no published weights (set PERENNIAL_DATA)"; exit 0; }
mkdir -p "$folder"

"$perennial" segment export --weights "$weights" -o "$folder/sinet.peb"
python3 - "$folder/person.ppm" <<'PYTHON'
import sys
W = H = 320
inside = lambda x, y, cx, cy, rx, ry: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
def colour(x, y):
    if inside(x, y, 142, 108, 6, 4) or inside(x, y, 178, 108, 6, 4): return 30, 30, 30
    if inside(x, y, 160, 92, 56, 60) and not inside(x, y, 160, 122, 44, 50): return 60, 40, 30
    if inside(x, y, 160, 115, 48, 62): return 220, 175, 145
    if abs(x - 160) < 22 and 150 < y < 215: return 205, 160, 130
    if inside(x, y, 160, 320, 120, 125): return 45, 60, 110
    return 150 + y // 8, 175 + x // 16, 200
with open(sys.argv[1], "wb") as out:
    out.write(b"P6 %d %d 255\n" % (W, H) + bytes(v for y in range(H) for x in range(W) for v in colour(x, y)))
PYTHON
"$matte" "$folder/sinet.peb" "$folder/person.ppm" "$folder/matte.pgm"
python3 - "$folder/matte.pgm" <<'PYTHON'
import sys
alpha = open(sys.argv[1], "rb").read()[-320 * 320:]
face, corner = alpha[115 * 320 + 160], alpha[10 * 320 + 10]
print(f"matte {face} in the face, {corner} in the corner")
sys.exit(0 if face > 200 and corner < 50 else "expected a person in the middle")
PYTHON
