// Streams, events and recordings.
#include <algorithm>
#include <utility>

#include "tests/mock_cuda/state.h"

using namespace topograd::mock_cuda;

#define TOPOGRAD_LOCKED const std::lock_guard lock(state().mutex)

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  TOPOGRAD_LOCKED;
  *stream = new CUstream_st{flags != cudaStreamNonBlocking, nullptr};
  state().streams.insert(*stream);
  return returned(cudaSuccess);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  if (state().streams.erase(stream) == 0) return returned(cudaErrorInvalidResourceHandle);
  run_pending();
  delete stream;
  return returned(cudaSuccess);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  ++state().counts.waits;
  const bool legacy = stream == nullptr || stream == cudaStreamLegacy;
  if (!legacy && !state().streams.contains(stream)) return returned(cudaErrorInvalidResourceHandle);
  if (!legacy && stream->capture) {
    stream->capture->invalid = true;
    return returned(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t refusal = refuse_during_capture(true, legacy)) return returned(refusal);
  return returned(run_pending());
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  event->stream = stream;
  event->capture = nullptr;
  if (stream == nullptr || stream == cudaStreamLegacy)
    return returned(refuse_during_capture(false, true));
  event->capture = stream->capture;
  if (!event->capture) return returned(cudaSuccess);
  if (event->capture->invalid) return returned(cudaErrorStreamCaptureInvalidated);
  const auto fork = event->capture->forks.find(stream);
  if (fork != event->capture->forks.end()) event->operations = fork->second.operations;
  return returned(cudaSuccess);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  TOPOGRAD_LOCKED;
  ++state().counts.waits;
  if (event->capture) {
    event->capture->invalid = true;
    return returned(cudaErrorCapturedEvent);
  }
  if (const cudaError_t refusal = refuse_during_capture(true, false)) return returned(refusal);
  return returned(run_pending());
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  TOPOGRAD_LOCKED;
  if (!event->capture) {
    if (!stream || stream == cudaStreamLegacy || !stream->capture) return returned(cudaSuccess);
    stream->capture->invalid = true;  // a recording cannot wait for what is no part of it
    return returned(cudaErrorStreamCaptureIsolation);
  }
  Capture& capture = *event->capture;
  if (capture.invalid) return returned(cudaErrorStreamCaptureInvalidated);
  const auto waited_for = capture.forks.find(event->stream);
  if (waited_for != capture.forks.end()) waited_for->second.awaited = event->operations;
  if (stream->capture == event->capture) return returned(cudaSuccess);
  if (stream->capture) return returned(cudaErrorStreamCaptureIsolation);
  stream->capture = event->capture;
  capture.forks[stream] = {};
  return returned(cudaSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  TOPOGRAD_LOCKED;
  if (!state().streams.contains(stream) || stream->capture)
    return returned(cudaErrorStreamCaptureUnsupported);  // the default stream cannot be captured
  stream->capture = std::make_shared<Capture>();
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->capture->origin = stream;
  return returned(cudaSuccess);
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  TOPOGRAD_LOCKED;
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = stream->capture;
  if (!capture || capture->origin != stream) return returned(cudaErrorInvalidValue);
  for (cudaStream_t other : state().streams)
    if (other->capture == capture) other->capture = nullptr;
  if (capture->invalid) return returned(cudaErrorStreamCaptureInvalidated);
  const bool joined =
      std::all_of(capture->forks.begin(), capture->forks.end(),
                  [](const auto& fork) { return fork.second.awaited == fork.second.operations; });
  if (!joined) return returned(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{std::move(capture->nodes)};
  return returned(cudaSuccess);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  TOPOGRAD_LOCKED;
  *executable = new CUgraphExec_st{graph->nodes};
  state().last_graph = static_cast<int64_t>(graph->nodes.size());
  return returned(cudaSuccess);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  ++state().counts.graph_launches;
  for (const Operation& node : executable->nodes)
    if (const cudaError_t status = submit(stream, node)) return returned(status);
  return returned(cudaSuccess);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
