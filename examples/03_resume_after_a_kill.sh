#!/usr/bin/env bash
# Kill a run with SIGKILL in the middle, go on, and end with the very same bytes as a run that was never killed.
# usage: examples/03_resume_after_a_kill.sh [PERENNIAL [FOLDER]]
set -euo pipefail
perennial=${1:-perennial} out=${2:-out/03_resume_after_a_kill}

rm -rf "$out/killed" "$out/whole"
mkdir -p "$out"
learn=("$perennial" learn --data digits --stream blurry10 --tasks 5 --memory 100 --learner rm --seed 1 --threads 1
  --quiet)

# The time between checkpoints (30 seconds by default) changes no result; here one is written at every step.
"${learn[@]}" --set checkpoint.seconds=0 --out "$out/killed" >/dev/null &
run=$!
for _ in $(seq 1200); do
  if compgen -G "$out/killed/checkpoint/0000001??.safetensors" >/dev/null; then break; fi
  sleep 0.1
done
kill -KILL "$run"
wait "$run" 2>/dev/null || true
echo "killed; left: $(ls "$out/killed/checkpoint" | xargs)"
[ ! -e "$out/killed/report.html" ] # It had not finished.

"$perennial" resume "$out/killed" --quiet
"${learn[@]}" --out "$out/whole"

for file in model.safetensors metrics.csv memory.png; do
  cmp "$out/killed/$file" "$out/whole/$file"
done
echo "the resumed run is bit-equal to the one never killed"
