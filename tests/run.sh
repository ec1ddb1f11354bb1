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
. tests/prepare_shared.sh
if [ -d "$TOPOGRAD_SHARED/data/cifar10" ] && [ -d "$TOPOGRAD_SHARED/weights" ]; then
  prepare_shared
else
  echo "SKIPPED: tests on published networks and real data ($TOPOGRAD_SHARED is not there)"
fi

apps/build.sh release
ctest --preset release -j "$(nproc)"
if [ "${1:-}" = --all ]; then
  tests/simt/delete_barriers.py --jobs "$(nproc)"
  # The sanitizers watch everything but the published networks, which would take an hour there.
  apps/build.sh asan
  TOPOGRAD_WEIGHTS='' ctest --preset asan -j "$(nproc)"
  apps/build.sh clang
  ctest --preset clang -j "$(nproc)" -R '^(simt|simt_race|ops|nn|landscape)$'
fi
