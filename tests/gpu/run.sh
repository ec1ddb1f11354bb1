#!/usr/bin/env bash
# Everything that a machine with an NVIDIA GPU should run, in under ten minutes, without a network:
# tests, sanitizers, training, benchmarks, PyTorch beside them. docs/gpu.md explains it.
#   tests/gpu/run.sh                     with what build/release holds, or builds it
#   tests/gpu/run.sh --pack FILE.tar.xz  gathers programs, libraries and data for another machine
#   tests/gpu/run.sh --binaries FILE.tar.xz   runs them there (or a build folder's)
#   tests/gpu/run.sh --rehearse          the same on the emulator, in seconds
#   tests/gpu/run.sh --help
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec python3 tests/gpu/suite.py "$@"
