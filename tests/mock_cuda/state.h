// Shared by the mock's files: streams, captures, and work that waits to be run.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "tests/mock_cuda/mock_cuda.h"

namespace topograd::mock_cuda {

using Operation = std::function<void()>;

/// A recording under way.
struct Capture {
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  cudaStream_t origin;
  bool invalid = false;
  std::vector<Operation> nodes;
  struct Fork {
    int64_t operations = 0;  // that it was handed
    int64_t awaited = -1;    // of these, when another stream of the capture waited for it
  };
  std::map<cudaStream_t, Fork> forks;  // streams that an event brought in
};

struct State {
  std::recursive_mutex mutex;
  Machine machine;
  Counts counts;
  std::deque<Operation> pending;
  std::set<cudaStream_t> streams;
  std::map<uintptr_t, size_t> pinned;
  std::map<const void*, int> shared_limits;  // of functions whose attribute was set
  bool recording = false;
  std::vector<Launch> launches;
  int64_t last_graph = 0;
  cudaError_t sticky = cudaSuccess;
  std::string failure;
};
/// Never destroyed: memory is released while static objects are.
State& state();

/// Remembers a call's status for cudaGetLastError and returns it; a failed kernel's beats it.
cudaError_t returned(cudaError_t status);

/// Refuses what may not happen while a stream is being captured, and spoils the capture: for every
/// call that CUDA calls unsafe (an allocation, a wait), those of this thread and global ones; for
/// `legacy`, work on the default stream, those of every stream that keeps order with it.
cudaError_t refuse_during_capture(bool unsafe, bool legacy);

/// Hands an operation to a stream or to the capture that the stream is in.
cudaError_t submit(cudaStream_t stream, Operation operation);

/// Runs everything that waits. Returns a kernel's failure.
cudaError_t run_pending();

}  // namespace topograd::mock_cuda

struct CUstream_st {
  bool blocking = true;  // keeps order with the default stream
  std::shared_ptr<topograd::mock_cuda::Capture> capture;
};
struct CUevent_st {
  cudaStream_t stream = nullptr;
  std::shared_ptr<topograd::mock_cuda::Capture> capture;  // that it was recorded in
  int64_t operations = 0;                                 // of its stream in the capture, till then
};
struct CUgraph_st {
  std::vector<topograd::mock_cuda::Operation> nodes;
};
struct CUgraphExec_st {
  std::vector<topograd::mock_cuda::Operation> nodes;
};
