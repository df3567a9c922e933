#!/usr/bin/env bash
# A folder of photographs, one sub-folder a class: learn some classes, then take in the next folder with new ones.
# Here the embedded digits stand for the photographs, exported as PNG files.
# usage: examples/02_own_photographs.sh [PERENNIAL [FOLDER]]
set -euo pipefail
perennial=${1:-perennial} out=${2:-out/02_own_photographs}

rm -rf "$out/monday" "$out/tuesday" "$out/run"
mkdir -p "$out"

# monday/train/0/000001.png ... monday/test/0/000001.png ...; without test/ a fifth of each class is held out.
"$perennial" data export --data digits --classes 0,1,2,3,4,5 --quiet --out "$out/monday"
"$perennial" data export --data digits --classes 6,7,8,9 --quiet --out "$out/tuesday"
"$perennial" data info --data "folder:$out/monday" --quiet

# `--augment none`: a mirrored digit is another digit. Photographs of things want the default, crop and flip.
"$perennial" learn --data "folder:$out/monday" --stream shuffled --tasks 1 --memory 200 --learner rm --model mlp400 \
  --epochs 20 --augment none --threads 1 --quiet --out "$out/run"
"$perennial" update "$out/run" --data "folder:$out/tuesday" --quiet

# Old and new classes, from files the model has not seen.
"$perennial" predict "$out/run" "$out/monday/test/3/000001.png" "$out/tuesday/test/8/000001.png" --top 2 --quiet
"$perennial" predict "$out/run" "$out/monday/test" "$out/tuesday/test" --format csv --quiet >"$out/predictions.csv"

# The class of a file is the name of the folder that it lies in.
python3 - "$out/predictions.csv" <<'END'
import csv, pathlib, sys
right, total = {"monday": 0, "tuesday": 0}, {"monday": 0, "tuesday": 0}
for row in csv.DictReader(open(sys.argv[1])):
    path = pathlib.Path(row["path"])
    day = path.parts[-4]
    total[day] += 1
    right[day] += row["label"] == path.parent.name
for day in total:
    print(f"{day}: {right[day]} of {total[day]} right")
    assert total[day] > 100 and right[day] > 0.8 * total[day]
END
