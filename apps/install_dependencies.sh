#!/usr/bin/env bash
# Installs what Topograd needs from the packages of Debian 12, 13 or Ubuntu 24.04, where it is missing.
#   apps/install_dependencies.sh           what building and running need
#   apps/install_dependencies.sh --tests   and what the tests use beside it
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config ccache libdnnl-dev libhdf5-dev zlib1g-dev libzip-dev libhwy-dev libcairo2-dev
  libgif-dev fonts-dejavu-core libcxxopts-dev libstb-dev doctest-dev nlohmann-json3-dev libeigen3-dev
  libopenmpi-dev openmpi-bin)
if [ "${1:-}" = --tests ]; then
  packages+=(clang mold libclang-rt-14-dev python3 python3-torch python3-protobuf python3-numpy
    python3-h5py python3-scipy python3-dev pybind11-dev python3-mypy patchelf libopenblas0-pthread xz-utils curl
    librsvg2-bin poppler-utils chromium man-db groff-base fish)
fi
# For landscape report's page. Node.js may be there from elsewhere, and Debian's npm would conflict.
command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)

# Which clang the sanitizers' runtime belongs to differs between the two systems.
version_codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
if [ "$version_codename" != bookworm ]; then
  packages=("${packages[@]/libclang-rt-14-dev/libclang-rt-dev}")
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "install_dependencies: no apt-get here; install these yourself: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install_dependencies: not root and no sudo; as root run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${missing[@]}" >/dev/null
