#!/usr/bin/env bash
# Builds one preset (release by default); further words are targets.
#   apps/build.sh [preset] [target...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
shift || true
options=()
if command -v ccache >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  # Precompiled headers are cached only so; they hold other projects' headers alone.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  # The compiler says which files it read; a pass of the preprocessor for that is a fifth of a build with an empty cache.
  export CCACHE_DEPEND=${CCACHE_DEPEND:-true}
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "build: configuring failed; what is missing may come with apps/install_dependencies.sh" >&2
  exit 1
fi
cmake --build --preset "$preset" ${1:+--target "$@"}
