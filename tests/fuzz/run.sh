#!/usr/bin/env bash
# Runs the harnesses with libFuzzer, each for so many minutes, one after the other:
#   tests/fuzz/run.sh MINUTES [HARNESS...]
# An input may take 2 GB and ten seconds. Inputs that fail stay in
# build/fuzz/crashes/<harness>/, what reached something new in build/fuzz/found/<harness>/, from where the next run
# goes on. The last lines say how many inputs each harness ran; the status is 1 if one failed.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${1:?usage: tests/fuzz/run.sh MINUTES [HARNESS...]}
shift
[ $# -gt 0 ] || set -- $(sed -n 's/^Harness \([a-z0-9]*\);.*/\1/p' tests/fuzz/harness.h)
apps/build.sh fuzz fuzzers

# The system's libraries do not mark the ends of a vector's unused memory.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/leak_suppressions.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
status=0
summary=()
for harness in "$@"; do
  found=build/fuzz/found/$harness crashes=build/fuzz/crashes/$harness
  mkdir -p "$found" "$crashes"
  log=build/fuzz/$harness.log
  outcome=no\ fault
  build/fuzz/tests/fuzz/fuzz_"$harness" "$found" "tests/fuzz/corpus/$harness" -artifact_prefix="$crashes/" \
    -max_total_time="$(awk "BEGIN { print int(60 * $minutes) }")" -rss_limit_mb=2048 -timeout=10 -max_len=32768 \
    -print_final_stats=1 >"$log" 2>&1 || { outcome="FAILED: $log"; status=1; }
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  summary+=("$harness: ${inputs:-no} inputs, $outcome")
  echo "${summary[-1]}"
done
exit $status
