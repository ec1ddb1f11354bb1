#include "tests/mock_cuda/state.h"

#include "kernels/core/check.h"

namespace topograd::mock_cuda {

namespace {

thread_local cudaError_t last = cudaSuccess;

}  // namespace

State& state() {
  static State& all = *new State;
  return all;
}

cudaError_t returned(cudaError_t status) {
  if (state().sticky != cudaSuccess) status = state().sticky;
  if (status != cudaSuccess) last = status;
  return status;
}

cudaError_t refuse_during_capture(bool unsafe, bool legacy) {
  cudaError_t refusal = cudaSuccess;
  for (cudaStream_t stream : state().streams) {
    if (!stream->capture) continue;
    Capture& capture = *stream->capture;
    const bool mine = capture.thread == std::this_thread::get_id();
    const bool watched = capture.mode == cudaStreamCaptureModeGlobal ||
                         (capture.mode == cudaStreamCaptureModeThreadLocal && mine);
    const bool implicit = legacy && stream->blocking;
    if (!implicit && !(unsafe && watched)) continue;
    capture.invalid = true;
    refusal = implicit ? cudaErrorStreamCaptureImplicit : cudaErrorStreamCaptureUnsupported;
  }
  return refusal;
}

cudaError_t submit(cudaStream_t stream, Operation operation) {
  State& all = state();
  if (stream == nullptr || stream == cudaStreamLegacy) {
    if (const cudaError_t refusal = refuse_during_capture(false, true)) return refusal;
    all.pending.push_back(std::move(operation));
    return cudaSuccess;
  }
  if (!all.streams.contains(stream)) return cudaErrorInvalidResourceHandle;
  if (!stream->capture) {
    all.pending.push_back(std::move(operation));
    return cudaSuccess;
  }
  Capture& capture = *stream->capture;
  if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
  capture.nodes.push_back(std::move(operation));
  const auto fork = capture.forks.find(stream);
  if (fork != capture.forks.end()) ++fork->second.operations;
  return cudaSuccess;
}

cudaError_t run_pending() {
  State& all = state();
  while (!all.pending.empty() && all.sticky == cudaSuccess) {
    const Operation operation = std::move(all.pending.front());
    all.pending.pop_front();
    try {
      operation();
    } catch (const Error& error) {
      all.sticky = cudaErrorLaunchFailure;
      all.failure = error.what();
      all.pending.clear();
    }
  }
  return all.sticky;
}

Counts counts() {
  const std::lock_guard lock(state().mutex);
  return state().counts;
}

Counts operator-(const Counts& after, const Counts& before) {
  return {after.launches - before.launches,
          after.graph_launches - before.graph_launches,
          after.allocations - before.allocations,
          after.blocking_copies - before.blocking_copies,
          after.waits - before.waits,
          after.kernels_executed - before.kernels_executed};
}

void record_launches() {
  const std::lock_guard lock(state().mutex);
  state().recording = true;
  state().launches.clear();
}

std::vector<Launch> recorded_launches() {
  const std::lock_guard lock(state().mutex);
  return state().launches;
}

int64_t nodes_of_last_graph() {
  const std::lock_guard lock(state().mutex);
  return state().last_graph;
}

void set_machine(const Machine& machine) {
  const std::lock_guard lock(state().mutex);
  state().machine = machine;
}

void forget_failure() {
  const std::lock_guard lock(state().mutex);
  state().sticky = cudaSuccess;
  state().failure.clear();
  last = cudaSuccess;
}

std::string failure() {
  const std::lock_guard lock(state().mutex);
  return state().failure;
}

}  // namespace topograd::mock_cuda

using topograd::mock_cuda::last;

cudaError_t cudaGetLastError() {
  const std::lock_guard lock(topograd::mock_cuda::state().mutex);
  const cudaError_t status = topograd::mock_cuda::returned(last);
  last = cudaSuccess;
  return status;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define TOPOGRAD_NAME(name) \
  case name:                \
    return #name
    TOPOGRAD_NAME(cudaSuccess);
    TOPOGRAD_NAME(cudaErrorInvalidValue);
    TOPOGRAD_NAME(cudaErrorMemoryAllocation);
    TOPOGRAD_NAME(cudaErrorInvalidConfiguration);
    TOPOGRAD_NAME(cudaErrorInsufficientDriver);
    TOPOGRAD_NAME(cudaErrorNoDevice);
    TOPOGRAD_NAME(cudaErrorInvalidDevice);
    TOPOGRAD_NAME(cudaErrorInvalidResourceHandle);
    TOPOGRAD_NAME(cudaErrorIllegalAddress);
    TOPOGRAD_NAME(cudaErrorMisalignedAddress);
    TOPOGRAD_NAME(cudaErrorLaunchFailure);
    TOPOGRAD_NAME(cudaErrorStreamCaptureUnsupported);
    TOPOGRAD_NAME(cudaErrorStreamCaptureInvalidated);
    TOPOGRAD_NAME(cudaErrorStreamCaptureUnjoined);
    TOPOGRAD_NAME(cudaErrorStreamCaptureIsolation);
    TOPOGRAD_NAME(cudaErrorStreamCaptureImplicit);
    TOPOGRAD_NAME(cudaErrorCapturedEvent);
#undef TOPOGRAD_NAME
  }
  return "?";
}

const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}
