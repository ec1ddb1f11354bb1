#!/usr/bin/env bash
# From a fresh system to the paper's two pictures: the loss landscape of a deep network with and
# without skip connections. Installs what is missing, builds, trains both networks, maps both.
#
#   apps/quickstart.sh                   minutes: a narrow ResNet on images made on the spot
#   apps/quickstart.sh --data DIR        the same on real CIFAR-10 (apps/download_cifar10.sh DIR)
#   apps/quickstart.sh --output DIR      where the results go (default: ./quickstart)
#   apps/quickstart.sh --cuda            build for NVIDIA GPUs even where there is none; with one that is done
#                                        anyway, if the CUDA toolkit is installed
#
# Interrupted, it continues where it was when it is run again.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

data=synthetic
output=quickstart
cuda=
while [ $# -gt 0 ]; do
  case $1 in
    --data | --output)
      [ $# -ge 2 ] || { echo "quickstart: $1 needs a folder" >&2; exit 2; }
      if [ "$1" = --data ]; then data=$2; else output=$2; fi
      shift 2
      ;;
    --cuda)
      cuda=asked
      shift
      ;;
    --help | -h)
      sed -n '2,11s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "quickstart: unknown flag '$1': choose --data DIR, --output DIR or --cuda" >&2
      exit 2
      ;;
  esac
done

"$root/apps/install_dependencies.sh"
# NVIDIA's compiler takes as long as all the rest, for code that runs on its GPUs alone.
preset=release
if [ -z "$cuda" ] && ! { [ -e /dev/nvidia0 ] && nvidia-smi >/dev/null 2>&1; }; then
  preset=quickstart
  echo "No NVIDIA GPU here: building for the CPU alone (apps/quickstart.sh --cuda builds for GPUs too)"
fi
"$root/apps/build.sh" "$preset" train landscape
bin=$root/build/release/bin

# Deep enough that leaving out the shortcuts hurts, small enough that two cores train it to a low loss
# in two minutes: at a high loss both landscapes look alike. Both networks get the same recipe.
depth=32 width=8 epochs=60 size=16
if [ "$data" != synthetic ]; then  # 32x32 pixels: four times the work an image
  epochs=40 size=32
fi

for name in "resnet$depth" "resnet${depth}_noshort"; do
  run=$output/$name
  if [ ! -f "$run/model.safetensors" ]; then
    echo "== Training $name"
    "$bin/train" --model "$name" --width "$width" --data "$data" --image-size "$size" \
      --train-images 4000 --test-images 1000 --epochs "$epochs" --batch-size 32 --lr 0.05 \
      --schedule cosine --warmup 1 --no-augment --output "$run" --resume
  fi
  echo "== Mapping $name"
  "$bin/landscape" surface "$run/model.safetensors" --data "$data" --images 250 \
    --x -1:1:41 --y -1:1:41 --log --vmin 0.01 --vmax 100 --output "$run/surface.h5"
done

pair=("$output/resnet${depth}_noshort/surface.h5" "$output/resnet$depth/surface.h5")
"$bin/landscape" plot "${pair[@]}" --kind surface,contours --same-scale --vmin 0.01 --vmax 100 \
  --output "$output/landscapes" >/dev/null
echo
echo "Both networks in one picture; the skip connections are the only difference:"
echo "  $output/landscapes_surface.png"
# A build without Node.js has no reports, and says so.
if "$bin/landscape" report "${pair[@]}" --output "$output/landscapes.html" >/dev/null; then
  echo "and in a browser, to turn and to slice:"
  echo "  $output/landscapes.html"
fi
