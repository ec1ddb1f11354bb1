#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
#   tests/run.sh             the release build with g++, all tests
#   tests/run.sh --all       what a push checks: no warning passes, of g++ or clang++; every barrier deleted in turn; the
#                            sanitizers, in clang's build
#   tests/run.sh --nightly   all of that, and what is too long for a push:
#       on the release build   cases of more elements than a grid has threads under every schedule of the emulator (a
#                              push: one); the published networks on all 10,000 test images and the reference
#                              implementation's surfaces at all points (a push: 2,000 images, five points); every
#                              barrier deleted under the race checker; the kernels linked in for NVIDIA GPUs as users
#                              have them (a push: compiled as far as PTX)
#       on machine code        every kernel compiled for sm_90: none issues more instructions than its budget (a push: none
#                              is counted)
#       on pictures            the gallery drawn anew, and compared (a push: its page)
#       on documents           every command of docs/tasks, on real data (a push: whether the programs take them)
#       under the sanitizers   operations alone, networks in double, and the whole end-to-end tests (a push: within networks
#                              in f32; wrong input, and what each command is for); all of it in g++'s build too, with AVX-512
#       under ThreadSanitizer  libraries and programs that use threads, several processes, the server
#       with clang             a build without sanitizers and without precompiled headers: a file that does not include
#                              what it needs fails there; operations under every schedule
#       with libFuzzer         every harness of tests/fuzz for a minute (a push: their corpora)
#       with calls that fail   every call of every command in turn (a push: a few of each)
#       on fresh systems       Debian 12 and 13 out of nothing: the README's two commands (tests/on_debian.sh)
# docs/testing.md says what each of these is for, and what it takes.
#
# Tests on published networks and real data run where these are found: in the folder named by TOPOGRAD_SHARED
# (default: ../shared), laid out as data/cifar10/*.bin.xz, weights/ and golden/. Elsewhere they are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

extent=${1:-}
case $extent in
  '' | --all | --nightly) ;;
  *)
    echo "tests/run.sh: unknown word '$extent': choose --all, --nightly, or nothing" >&2
    exit 2
    ;;
esac

apps/install_dependencies.sh --tests

export TOPOGRAD_SHARED=${TOPOGRAD_SHARED:-$(cd .. && pwd)/shared}
. tests/prepare_shared.sh
if [ -d "$TOPOGRAD_SHARED/data/cifar10" ] && [ -d "$TOPOGRAD_SHARED/weights" ]; then
  prepare_shared
else
  echo "SKIPPED: tests on published networks and real data ($TOPOGRAD_SHARED is not there)"
fi

# The time of every stage, in all and the processors'.
TIMEFORMAT='== %R s, of processors %U + %S s'
stage() {
  echo "== $*"
  time "$@"
}
# One more than there are processors: some tests wait.
jobs=$(($(nproc) + 1))

if [ -z "$extent" ]; then
  stage apps/build.sh release
  stage ctest --preset release -j "$jobs"
  exit
fi
stage apps/build.sh checks
# The sanitizers' build takes what the tests leave of the processors, as many of them wait.
log=$(mktemp)
nice -n 19 apps/build.sh asan >"$log" 2>&1 &
asan_build=$!
trap 'kill "$asan_build" 2>/dev/null || true; rm -f "$log"' EXIT
finish_asan_build() { wait "$asan_build" || { cat "$log"; return 1; }; }
stage ctest --preset checks -j "$jobs"
stage tests/simt/delete_barriers.py --build build/checks --short
stage finish_asan_build
# The sanitizers watch everything but the published networks, which would take an hour there.
stage ctest --preset asan -j "$jobs"
[ "$extent" = --all ] && exit

stage ctest --preset checks-nightly -j "$jobs"
if command -v nvcc > /dev/null; then
  stage kernels/cuda/kernel_resources.py --check
else
  echo "SKIPPED: the kernels' instructions (no nvcc)"
fi
stage apps/build.sh release
stage ctest --preset release -j "$jobs" -R '^(core|bench_ops|gpu_rehearsal|end_to_end_(bench|devices|train|train_continued))$'
stage tests/simt/delete_barriers.py --build build/checks
stage tests/simt/delete_barriers.py --build build/checks --tests test_ops_race
stage apps/build.sh asan all test_ops
stage ctest --preset asan-nightly -j "$jobs" -R '^(nn|models|figures|end_to_end_.*|ops_.*|export_torch|export_torch_operations|onnx)$'
stage apps/build.sh asan-gcc all test_ops
stage ctest --preset asan-gcc -j "$jobs"
stage ctest --test-dir build/asan-gcc --output-on-failure -j "$jobs" -L '^ops$'
stage apps/build.sh tsan
stage ctest --preset tsan -j 2
stage apps/build.sh clang
stage ctest --preset clang -j "$jobs" -L '^(unit|ops)$'
stage tests/fuzz/run.sh 1
stage env TOPOGRAD_TEST_EVERY_CALL=1 TOPOGRAD_FAILING_CALLS=build/release/tests/libfailing_calls.so \
  tests/end_to_end/test_failing_calls.py build/release/bin/train build/release/bin/landscape
for release in bookworm trixie; do
  stage tests/on_debian.sh "$release"
done
