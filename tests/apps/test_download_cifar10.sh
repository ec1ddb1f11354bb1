#!/bin/bash
# apps/download_cifar10.sh where the archive cannot be had: one line of error, nothing left behind.
set -u
script=$(dirname "$0")/../../apps/download_cifar10.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect_failure <text> <url> <arguments...>: the script fails with one line that holds the text.
expect_failure() {
  local text=$1 url=$2 output
  shift 2
  if output=$(TOPOGRAD_CIFAR10_URL=$url "$script" "$@" 2>&1 >/dev/null); then
    echo "FAILED: succeeded with $url $*"
    failures=$((failures + 1))
  elif [[ $output != *"$text"* || $(wc -l <<<"$output") -ne 1 ]]; then
    printf 'FAILED: expected one line with "%s", got:\n%s\n' "$text" "$output"
    failures=$((failures + 1))
  fi
}

expect_failure "the download failed (" "file://$scratch/missing.tar.gz" "$scratch/out"
expect_failure "the download failed (" "http://localhost:1/cifar.tar.gz" "$scratch/out"
expect_failure "takes one argument" "file:///" a b
expect_failure "not an option" "file:///" --help
if command -v curl >/dev/null; then # wget knows no file://
  echo "no archive" >"$scratch/wrong.tar.gz"
  expect_failure "is not the CIFAR-10 archive" "file://$scratch/wrong.tar.gz" "$scratch/out"
fi
if [ -n "$(ls -A "$scratch/out")" ]; then
  echo "FAILED: left behind: $(ls -A "$scratch/out")"
  failures=$((failures + 1))
fi
exit $((failures > 0))
