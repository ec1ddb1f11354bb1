// Memory of an NVIDIA GPU, and recordings as CUDA graphs.
#include <algorithm>

#include "kernels/core/op.h"
#include "kernels/cuda/cuda_context.h"

namespace topograd::cuda {

namespace {

constexpr int kOldestMajor = 8;  // compute capability

/// Returns the compute capability's first number of this process's GPU; -1 where there is none that
/// CUDA reaches, and then the reason in `status`.
int compute_capability_major(cudaError_t& status) {
  int count = 0;
  int major = 0;
  int device = 0;
  status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess) choose_gpu();
  if (status == cudaSuccess) status = cudaGetDevice(&device);
  if (status == cudaSuccess)
    status = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaGetLastError();  // or the next launch would report it
  return status == cudaSuccess && count > 0 ? major : -1;
}

/// Whether there is a GPU that runs this build: machine code of compute capability 8.0 and later.
bool available() {
  cudaError_t status = cudaSuccess;
  return compute_capability_major(status) >= kOldestMajor;
}

std::string absence() {
  const auto version = [](int number) { return text(number / 1000, '.', number % 1000 / 10); };
  const std::string nothing = "no GPU that works is here: ";
  cudaError_t status = cudaSuccess;
  const int major = compute_capability_major(status);
  if (major >= 0)
    return text(nothing, "its compute capability is ", major, ".x, and this build is for ",
                kOldestMajor, ".0 and later");
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (status == cudaErrorInsufficientDriver && driver > 0)
    return text(nothing, "its driver is for CUDA ", version(driver), ", and this build for CUDA ",
                version(CUDART_VERSION),
                "; install a newer driver, or build with the toolkit of CUDA ", version(driver));
  if (driver == 0) return nothing + "NVIDIA's driver is not installed";
  return text(nothing, cudaGetErrorString(status));
}

std::string describe() {
  choose_gpu();
  int device = 0;
  check(cudaGetDevice(&device), "asking for the current GPU");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking what the GPU is");
  return text(properties.name, ", ", properties.totalGlobalMem >> 30, " GiB");
}

void* allocate(int64_t bytes) {
  choose_gpu();
  void* memory = nullptr;
  // Never null: a null pointer means that there is no tensor.
  const cudaError_t status = cudaMalloc(&memory, static_cast<size_t>(std::max<int64_t>(bytes, 1)));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail("the GPU has no room for ", (bytes >> 20) + 1,
         " MiB more; use smaller batches, or a GPU with more memory");
  }
  check(status, "allocating memory of a GPU");
  return memory;
}

/// Frees memory, after waiting for all that uses it, as cudaFree does. Its status says nothing new:
/// a kernel that failed is reported by the next call that is checked, and when main() has returned
/// CUDA may be gone, and the memory with it.
void release(void* memory) {
  cudaFree(memory);
}

/// Waits for a copy or fill. On the default stream it comes after everything queued before it on
/// any context's stream; the host waits here for those that CUDA lets it run ahead of.
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
  explicit Graph(std::shared_ptr<CUstream_st> runs_on) : stream(std::move(runs_on)) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() {
    cudaStreamSynchronize(stream.get());  // it may be under way
    if (executable) cudaGraphExecDestroy(executable);
    if (graph) cudaGraphDestroy(graph);
  }
  std::shared_ptr<CUstream_st> stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
};

/// Records work() as a CUDA graph. What may not be recorded (a copy of a tensor, an allocation)
/// fails inside work(), on this thread alone; other threads may do anything but copy tensors.
std::shared_ptr<void> record(Context& context, const std::function<void()>& work) {
  auto recorded = std::make_shared<Graph>(shared_stream_of(context));
  const cudaStream_t stream = recorded->stream.get();
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  try {
    work();
  } catch (...) {
    cudaStreamEndCapture(stream, &recorded->graph);
    cudaGetLastError();  // clears the capture's failure, a mere consequence
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
                       .release = release,
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
                       .replay = replay,
                       .absence = absence});
}

}  // namespace topograd::cuda
