#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
#   tests/run.sh           the release build with g++, all tests
#   tests/run.sh --all     and the sanitizers' build, and clang's, and deletes every barrier in turn
#
# Tests on published networks and real data run where these are found: in the folder named by
# TOPOGRAD_SHARED (default: ../shared), laid out as data/cifar10/*.bin.xz, weights/ and golden/.
# Elsewhere they are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

apps/install_dependencies.sh --tests

export TOPOGRAD_SHARED=${TOPOGRAD_SHARED:-$(cd .. && pwd)/shared}
scratch=${TOPOGRAD_SCRATCH:-${TMPDIR:-/tmp}/topograd-test-data}

# Unpacks the data and converts the networks once; whole files only, so an interruption is no harm.
prepare_shared() {
  mkdir -p "$scratch/cifar10" "$scratch/weights"
  local archive name checkpoint
  for archive in "$TOPOGRAD_SHARED"/data/cifar10/*.bin.xz; do
    name=$(basename "$archive" .xz)
    [ -f "$scratch/cifar10/$name" ] && continue
    xz -dc "$archive" >"$scratch/cifar10/$name.part"
    mv "$scratch/cifar10/$name.part" "$scratch/cifar10/$name"
  done
  export TOPOGRAD_CIFAR10=$scratch/cifar10

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
  export TOPOGRAD_WEIGHTS=$scratch/weights
}
if [ -d "$TOPOGRAD_SHARED/data/cifar10" ] && [ -d "$TOPOGRAD_SHARED/weights" ]; then
  prepare_shared
else
  echo "SKIPPED: tests on published networks and real data ($TOPOGRAD_SHARED is not there)"
fi

apps/build.sh release
ctest --preset release
if [ "${1:-}" = --all ]; then
  tests/simt/delete_barriers.py --jobs "$(nproc)"  # minutes
  # The sanitizers watch everything but the published networks, which would take an hour there.
  apps/build.sh asan
  TOPOGRAD_WEIGHTS='' ctest --preset asan -j "$(nproc)"
  apps/build.sh clang
  ctest --preset clang -j "$(nproc)" -R '^(simt|simt_race|ops|nn|landscape)$'
fi
