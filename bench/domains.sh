#!/usr/bin/env bash
# PACS as a shift of domain: the same seven classes as photographs, then updates with paintings, cartoons and sketches;
# held-out files of every domain at the end. Replay methods beside plain fine-tuning, on the frozen EfficientNet-Lite0.
# usage: bench/domains.sh PERENNIAL PACS WEIGHTS OUT      (WEIGHTS: efficientnet_lite0.safetensors of `make weights`)
set -euo pipefail
[ $# = 4 ] || { sed -n 2,4p "$0"; exit 2; }
readonly perennial=$1 pacs=$2 weights=$3 out=$4
readonly domains=(photo art_painting cartoon sketch)
mkdir -p "$out"

for learner in finetune er er-ace rm evergreen; do for seed in 1 2 3; do
  run=$out/$learner-$seed
  "$perennial" learn --data "folder:$pacs/photo" --stream shuffled --tasks 1 --memory 70 --learner "$learner" --model efficientnet_lite0 \
    --weights "$weights" --freeze features --set model.neck=128 --epochs 30 --set train.updates=4 --seed "$seed" --quiet --out "$run" >/dev/null
  for domain in "${domains[@]:1}"; do
    "$perennial" update "$run" --data "folder:$pacs/$domain" --quiet >/dev/null
  done
  line=$(printf '%-10s seed %s' "$learner" "$seed")
  for domain in "${domains[@]}"; do
    accuracy=$("$perennial" eval "$run" --data "folder:$pacs/$domain" --quiet)
    line+="  $domain $(sed -n 1p <<<"$accuracy")"
  done
  echo "$line"
done; done
