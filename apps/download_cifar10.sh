#!/bin/bash
# Downloads CIFAR-10 (binary version, 162 MiB) and unpacks it: apps/download_cifar10.sh [folder]
# The folder, ./cifar10 by default, then holds data_batch_1.bin ... data_batch_5.bin, test_batch.bin.
# Run it again after an interruption: it continues where it stopped. TOPOGRAD_CIFAR10_URL names
# another place to get the same archive from.
set -euo pipefail

url=${TOPOGRAD_CIFAR10_URL:-https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz}
archive_md5=c32a1d4ab5d03f1284b67883e8d87530
file_md5s="
data_batch_1.bin 5dd7e06a14cb22eb9f671a540d1b7c25
data_batch_2.bin 5ea93a67294ea407fff1d09f752e9692
data_batch_3.bin 942cd6a4bcdd0dd3c604fbe906cb4421
data_batch_4.bin ae636b3ba5c66a11e91e8cb52e771fcb
data_batch_5.bin 53f37980c15c3d472c316c40844f3f0d
test_batch.bin 803d5f7f4d78ea53de84dbe85f74fb6d"

fail() {
  echo "download_cifar10.sh: $*" >&2
  exit 1
}

md5_of() {
  if command -v md5sum >/dev/null; then md5sum <"$1" | cut -d' ' -f1; else md5 -q "$1"; fi
}

# Whether folder $1 holds all six files, each with its checksum; else `damaged` names the first bad.
all_files_good() {
  local name md5
  while read -r name md5; do
    damaged=$name
    [ -f "$1/$name" ] && [ "$(md5_of "$1/$name")" = "$md5" ] || return 1
  done <<<"${file_md5s#$'\n'}"
}

# Downloads $url to $1, continuing what is there; its complaint goes to $scratch/error.
download() {
  if command -v curl >/dev/null; then
    curl --fail --location --continue-at - --retry 3 --connect-timeout 20 --silent --show-error \
      --output "$1" "$url" 2>"$scratch/error"
  elif command -v wget >/dev/null; then
    wget --continue --tries=3 --timeout=20 --no-verbose --output-document="$1" "$url" \
      2>"$scratch/error"
  else
    echo "install curl or wget" >"$scratch/error"
    return 1
  fi
}

# Waits for process $1, showing on a terminal how much of file $2 has come.
wait_with_progress() {
  while [ -t 2 ] && kill -0 "$1" 2>/dev/null; do
    printf '\r%d of 162 MiB ' $(($(cat "$2" 2>/dev/null | wc -c) >> 20)) >&2
    sleep 1
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
  wait "$1"
}

[ $# -le 1 ] || fail "takes one argument, the folder to fill"
case ${1:-} in -*) fail "takes one argument, the folder to fill, not an option" ;; esac
folder=${1:-cifar10}
mkdir -p "$folder" || fail "cannot make the folder $folder"
if all_files_good "$folder"; then
  echo "$folder holds CIFAR-10 already"
  exit 0
fi

scratch=$(mktemp -d "$folder/.unpack-XXXXXX") || fail "cannot write to $folder"
trap 'rm -rf "$scratch"' EXIT
part=$folder/cifar-10-binary.tar.gz.part

if ! { [ -f "$part" ] && [ "$(md5_of "$part")" = "$archive_md5" ]; }; then
  echo "downloading $url"
  download "$part" &
  wait_with_progress $! "$part" ||
    fail "the download failed ($(tail -n 1 "$scratch/error")):" \
      "check the network and run this again; it continues where it stopped"
  md5=$(md5_of "$part")
  if [ "$md5" != "$archive_md5" ]; then
    rm -f "$part"
    fail "$url is not the CIFAR-10 archive (md5 $md5, expected $archive_md5): removed; run this again"
  fi
fi

tar -xzf "$part" -C "$scratch" --strip-components=1 || fail "cannot unpack $part: is the disk full?"
all_files_good "$scratch" || fail "$damaged in the archive has a wrong checksum: is the disk full?"
while read -r name _; do
  mv -f "$scratch/$name" "$folder/$name"
done <<<"${file_md5s#$'\n'}"
rm -f "$part"
echo "CIFAR-10 is in $folder"
