#!/usr/bin/env bash
# EuroSAT from nothing: four classes, then two updates of three, a ResNet-20 on 32x32 pixels; Rainbow Memory beside fine-tuning.
# usage: bench/satellite.sh PERENNIAL EUROSAT OUT
set -euo pipefail
[ $# = 3 ] || { sed -n 2,3p "$0"; exit 2; }
readonly perennial=$1 images=$2 out=$3
readonly chunks=(AnnualCrop,Forest,Highway,SeaLake Industrial,Pasture,River HerbaceousVegetation,PermanentCrop,Residential)
mkdir -p "$out"

for learner in rm finetune; do
  run=$out/$learner
  "$perennial" learn --data "folder:$images" --classes "${chunks[0]}" --size 32 --stream shuffled --tasks 1 --memory 300 \
    --learner "$learner" --model resnet20 --epochs 60 --batch 32 --augment crop,flip --dtype bfloat16 --quiet --out "$run"
  for chunk in "${chunks[@]:1}"; do
    "$perennial" update "$run" --data "folder:$images" --classes "$chunk" --quiet | tail -n 2
  done
  for chunk in "${chunks[@]}"; do
    printf '%s, held-out files of %s: ' "$learner" "$chunk"
    "$perennial" eval "$run" --data "folder:$images" --classes "$chunk" --quiet | head -n 1
  done
done
