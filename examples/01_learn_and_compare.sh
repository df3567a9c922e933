#!/usr/bin/env bash
# Three learners on one blurry stream of the embedded digits, beside each other.
# usage: examples/01_learn_and_compare.sh [PERENNIAL [FOLDER]]
set -euo pipefail
perennial=${1:-perennial} out=${2:-out/01_learn_and_compare}

runs=("$out/finetune" "$out/er" "$out/rm")
rm -rf "${runs[@]}"
mkdir -p "$out"

# What arrives: five tasks of two digits each, a tenth of every digit spread over the other tasks.
"$perennial" data show --data digits --stream blurry10 --tasks 5 --seed 1

# One thread: a network this small gains nothing from more.
for learner in finetune er rm; do
  "$perennial" learn --data digits --stream blurry10 --tasks 5 --memory 100 --learner "$learner" --seed 1 \
    --threads 1 --quiet --out "$out/$learner"
done
"$perennial" compare "${runs[@]}" --html "$out/compare.html"

# The claim: with 100 images kept, most of what plain fine-tuning forgets is still there.
accuracy() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["a_last"])' "$1/metrics.json"; }
python3 - "$(accuracy "$out/finetune")" "$(accuracy "$out/er")" "$(accuracy "$out/rm")" <<'END'
import sys
finetune, er, rm = map(float, sys.argv[1:])
assert rm > finetune + 0.2 and er > finetune + 0.2, f"fine-tuning {finetune}, replay {er}, Rainbow Memory {rm}"
END
[ -s "$out/compare.html" ] && [ -s "$out/rm/report.html" ]
echo "the report: $out/compare.html"
