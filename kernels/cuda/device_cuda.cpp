// Memory of an NVIDIA GPU, and recordings as CUDA graphs.
#include "kernels/core/op.h"
#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

namespace {

bool available() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

std::string describe() {
  int device = 0;
  check(cudaGetDevice(&device), "asking for the current GPU");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking what the GPU is");
  return text(properties.name, ", ", properties.totalGlobalMem >> 30, " GiB");
}

void* allocate(int64_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, static_cast<size_t>(bytes));
  require(status != cudaErrorMemoryAllocation, "the GPU has no room for ", (bytes >> 20) + 1,
          " MiB more; use smaller batches, or a GPU with more memory");
  check(status, "allocating memory of a GPU");
  return memory;
}

/// A copy or fill on the default stream comes after everything queued before it on a context's
/// stream; the host waits here for those that CUDA lets it run ahead of.
void finish(cudaError_t status, const char* doing) {
  check(status, doing);
  check(cudaStreamSynchronize(cudaStreamLegacy), doing);
}

void copy_in(void* target, const void* source, int64_t bytes) {
  finish(cudaMemcpy(target, source, static_cast<size_t>(bytes), cudaMemcpyHostToDevice),
         "copying to the GPU");
}

void copy_out(void* target, const void* source, int64_t bytes) {
  finish(cudaMemcpy(target, source, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost),
         "copying from the GPU");
}

void copy_within(void* target, const void* source, int64_t bytes) {
  finish(cudaMemcpy(target, source, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice),
         "copying on the GPU");
}

/// A CUDA graph, ready to be launched.
struct Graph {
  ~Graph() {
    if (executable) cudaGraphExecDestroy(executable);
    if (graph) cudaGraphDestroy(graph);
  }
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
};

std::shared_ptr<void> record(Context& context, const std::function<void()>& work) {
  auto recorded = std::make_shared<Graph>();
  const cudaStream_t stream = stream_of(context);
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  try {
    work();
  } catch (...) {
    cudaGraph_t unfinished = nullptr;
    cudaStreamEndCapture(stream, &unfinished);
    if (unfinished) cudaGraphDestroy(unfinished);
    throw;
  }
  check(cudaStreamEndCapture(stream, &recorded->graph), "recording a graph");
  check(cudaGraphInstantiate(&recorded->executable, recorded->graph, 0), "instantiating a graph");
  return recorded;
}

void replay(Context& context, void* recorded) {
  check(cudaGraphLaunch(static_cast<Graph*>(recorded)->executable, stream_of(context)),
        "launching a graph");
}

}  // namespace

void register_device_cuda(OpRegistry& registry) {
  registry.add_device({.device = Device::cuda,
                       .available = available,
                       .describe = describe,
                       .allocate = allocate,
                       .release = [](void* memory) { cudaFree(memory); },
                       .copy_in = copy_in,
                       .copy_out = copy_out,
                       .copy_within = copy_within,
                       .fill_zero =
                           [](void* target, int64_t bytes) {
                             finish(cudaMemset(target, 0, static_cast<size_t>(bytes)),
                                    "clearing memory");
                           },
                       .synchronise = [] { check(cudaDeviceSynchronize(), "waiting for the GPU"); },
                       .record = record,
                       .replay = replay});
}

}  // namespace topograd::cuda
