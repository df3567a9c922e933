#!/usr/bin/env bash
# A folder of own photographs as a new user would use it: some classes first, two updates with new ones, then files that
# were held out, old classes and new. Rainbow Memory beside plain fine-tuning, on the frozen EfficientNet-Lite0.
# usage: bench/photographs.sh PERENNIAL CALTECH101 WEIGHTS OUT      (WEIGHTS: efficientnet_lite0.safetensors of `make weights`)
set -euo pipefail
[ $# = 4 ] || { sed -n 2,5p "$0"; exit 2; }
readonly perennial=$1 photographs=$2 weights=$3 out=$4
readonly first=ant,beaver,camera,crab,dolphin,elephant,helicopter,lamp
readonly second=lobster,panda,pizza,pyramid,rhino,saxophone,scissors,sunflower
readonly third=accordion,butterfly,chair,ferry,hedgehog,kangaroo,laptop,umbrella
mkdir -p "$out"

for learner in rm finetune; do
  run=$out/$learner
  "$perennial" learn --data "folder:$photographs" --classes "$first" --stream shuffled --tasks 1 --memory 500KB \
    --learner "$learner" --model efficientnet_lite0 --weights "$weights" --freeze features --epochs 30 --quiet --out "$run"
  for chunk in "$second" "$third"; do
    "$perennial" update "$run" --data "folder:$photographs" --classes "$chunk" --quiet | tail -n 2
  done
  for chunk in "$first" "$second" "$third"; do
    printf '%s, held-out files of %s: ' "$learner" "${chunk%%,*} ..."
    "$perennial" eval "$run" --data "folder:$photographs" --classes "$chunk" --quiet | head -n 1
  done
done
