# To be sourced at the root of the repository: unpacks CIFAR-10 and converts the published networks,
# once, out of the folder that TOPOGRAD_SHARED names (data/cifar10/*.bin.xz, weights/, golden/), and
# exports what tests read: TOPOGRAD_SHARED, TOPOGRAD_CIFAR10, TOPOGRAD_WEIGHTS.
# shellcheck shell=bash

prepare_shared() {
  local scratch=${TOPOGRAD_SCRATCH:-${TMPDIR:-/tmp}/topograd-test-data}
  mkdir -p "$scratch/cifar10" "$scratch/weights"
  local archive name checkpoint
  for archive in "$TOPOGRAD_SHARED"/data/cifar10/*.bin.xz; do
    name=$(basename "$archive" .xz)
    [ -f "$scratch/cifar10/$name" ] && continue
    xz -dc "$archive" >"$scratch/cifar10/$name.part"  # whole files only: an interruption is no harm
    mv "$scratch/cifar10/$name.part" "$scratch/cifar10/$name"
  done

  convert() {  # name, file, further flags
    local output=$scratch/weights/$1.safetensors
    [ -f "$output" ] || /usr/bin/python3 apps/import_torch.py "$TOPOGRAD_SHARED/weights/$2" \
      --output "$output" "${@:3}"
  }
  convert akamaster_resnet20 akamaster/resnet20-12fca82f.th \
    --model resnet20 --shortcut A --normalisation imagenet
  convert akamaster_resnet56 akamaster/resnet56-4bfd9763.th \
    --model resnet56 --shortcut A --normalisation imagenet
  checkpoint=sgd_lr0.1_bs128_wd5e-4_model_300.t7
  convert losslandscape_resnet56 "losslandscape/resnet56_$checkpoint" \
    --model resnet56 --normalisation cifar10
  convert losslandscape_resnet56_noshort "losslandscape/resnet56_noshort_$checkpoint" \
    --model resnet56_noshort --normalisation cifar10
  export TOPOGRAD_SHARED TOPOGRAD_CIFAR10=$scratch/cifar10 TOPOGRAD_WEIGHTS=$scratch/weights
}
