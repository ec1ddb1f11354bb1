#!/usr/bin/env bash
# Makes a wheel of the package topograd for this machine's Python, without MPI and NVIDIA's libraries:
#   apps/python/wheel.sh [FOLDER]    (default: build/wheel/dist)
# The wheel carries the libraries that it needs, and asks for numpy alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

cmake --preset wheel
cmake --build build/wheel --target topograd_python topograd_python_files
"${PYTHON:-/usr/bin/python3}" apps/python/make_wheel.py build/wheel "${1:-build/wheel/dist}"
