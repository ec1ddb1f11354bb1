// The mock itself: it refuses what CUDA refuses, and nothing else.
#include <doctest/doctest.h>

#include <numeric>
#include <thread>

#include "kernels/core/recording.h"
#include "kernels/cuda/cuda_context.h"
#include "kernels/vector/vector.h"
#include "tests/mock_cuda/mock_cuda.h"

using namespace topograd;

namespace {

constexpr cudaStreamCaptureMode kThreadLocal = cudaStreamCaptureModeThreadLocal;

/// A stream, and a capture on it that has ended when this is gone.
struct Capturing {
  explicit Capturing(cudaStreamCaptureMode mode) {
    REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
    REQUIRE(cudaStreamBeginCapture(stream, mode) == cudaSuccess);
  }
  ~Capturing() {
    end();
    cudaStreamDestroy(stream);
    cudaGetLastError();
  }
  cudaError_t end() {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(stream, &graph);
    CHECK((status == cudaSuccess) == (graph != nullptr));
    cudaGraphDestroy(graph);
    return status;
  }
  cudaStream_t stream = nullptr;
};

struct DeviceMemory {
  DeviceMemory() { REQUIRE(cudaMalloc(&memory, 64) == cudaSuccess); }
  ~DeviceMemory() { cudaFree(memory); }
  void* memory = nullptr;
};

simt::emulator::Kernel nothing() {
  return {[](const void*) {}, nullptr, 0, nullptr};
}

cudaError_t launch(simt::dim3 grid, simt::dim3 block, size_t shared_bytes = 0,
                   cudaStream_t stream = nullptr) {
  const cudaError_t status = mock_cuda::launch_kernel(nothing(), grid, block, shared_bytes, stream);
  CHECK(cudaGetLastError() == status);
  return status;
}

Tensor counting(int64_t n) {
  const Tensor t({n});
  std::iota(t.data<float>(), t.data<float>() + n, 1.0F);
  return t;
}

}  // namespace

TEST_CASE("mock CUDA: a capture refuses an allocation and a release, and is spoilt") {
  const DeviceMemory before;
  void* memory = nullptr;
  {
    Capturing capture(kThreadLocal);
    CHECK(cudaMalloc(&memory, 64) == cudaErrorStreamCaptureUnsupported);
    CHECK(mock_cuda::launch_kernel(nothing(), 1, 1, 0, capture.stream) ==
          cudaErrorStreamCaptureInvalidated);
    CHECK(capture.end() == cudaErrorStreamCaptureInvalidated);
  }
  {
    Capturing capture(kThreadLocal);
    CHECK(cudaFree(before.memory) == cudaErrorStreamCaptureUnsupported);
    CHECK(capture.end() == cudaErrorStreamCaptureInvalidated);
  }
  Capturing capture(cudaStreamCaptureModeRelaxed);
  CHECK(cudaMalloc(&memory, 64) == cudaSuccess);
  CHECK(capture.end() == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
}

TEST_CASE("mock CUDA: another thread may allocate, unless the capture is global") {
  for (const auto& [mode, expected] :
       {std::pair{kThreadLocal, cudaSuccess},
        std::pair{cudaStreamCaptureModeGlobal, cudaErrorStreamCaptureUnsupported}}) {
    Capturing capture(mode);
    void* memory = nullptr;
    cudaError_t status = cudaSuccess;
    std::thread([&] { status = cudaMalloc(&memory, 64); }).join();
    CHECK(status == expected);
    CHECK((capture.end() == cudaSuccess) == (expected == cudaSuccess));
    cudaFree(memory);
  }
}

TEST_CASE("mock CUDA: a capture refuses copies that wait, and waits") {
  const DeviceMemory there;
  float here[16] = {};
  {
    const Capturing capture(kThreadLocal);
    CHECK(cudaMemcpy(there.memory, here, 64, cudaMemcpyHostToDevice) ==
          cudaErrorStreamCaptureImplicit);
  }
  {
    const Capturing capture(kThreadLocal);
    CHECK(cudaMemcpyAsync(there.memory, here, 64, cudaMemcpyHostToDevice, capture.stream) ==
          cudaErrorStreamCaptureUnsupported);
  }
  {
    const Capturing capture(kThreadLocal);
    CHECK(cudaStreamSynchronize(capture.stream) == cudaErrorStreamCaptureUnsupported);
  }
  {
    const Capturing capture(kThreadLocal);
    CHECK(cudaDeviceSynchronize() != cudaSuccess);
  }
  const Capturing capture(kThreadLocal);
  CHECK(cudaMemset(there.memory, 0, 64) == cudaErrorStreamCaptureImplicit);
}

TEST_CASE("mock CUDA: a capture refuses the default stream, and takes others in by events alone") {
  {
    const Capturing capture(kThreadLocal);
    CHECK(launch(1, 1, 0, cudaStreamLegacy) == cudaErrorStreamCaptureImplicit);
  }
  cudaStream_t other = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking) == cudaSuccess);
  cudaEvent_t fork = nullptr, join = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming) == cudaSuccess);
  REQUIRE(cudaEventCreateWithFlags(&join, cudaEventDisableTiming) == cudaSuccess);
  for (const bool joined : {false, true}) {
    Capturing capture(kThreadLocal);
    REQUIRE(cudaEventRecord(fork, capture.stream) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(other, fork) == cudaSuccess);
    CHECK(launch(1, 1, 0, other) == cudaSuccess);
    REQUIRE(cudaEventRecord(join, other) == cudaSuccess);
    if (!joined) CHECK(launch(1, 1, 0, other) == cudaSuccess);  // after the event: not waited for
    REQUIRE(cudaStreamWaitEvent(capture.stream, join) == cudaSuccess);
    CHECK(capture.end() == (joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined));
  }
  {
    const Capturing capture(kThreadLocal);
    REQUIRE(cudaEventRecord(fork, other) == cudaSuccess);  // outside the capture
    CHECK(cudaStreamWaitEvent(capture.stream, fork) == cudaErrorStreamCaptureIsolation);
  }
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  cudaStreamDestroy(other);
}

TEST_CASE("mock CUDA: launches beyond the limits of a grid, a block or shared memory are refused") {
  CHECK(launch(1, 1024) == cudaSuccess);
  CHECK(launch(1, 1025) == cudaErrorInvalidConfiguration);
  CHECK(launch(1, {32, 32, 2}) == cudaErrorInvalidConfiguration);
  CHECK(launch(1, {1, 1, 65}) == cudaErrorInvalidConfiguration);
  CHECK(launch(0, 1) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, 65536}, 1) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, 1, 65536}, 1) == cudaErrorInvalidConfiguration);
  CHECK(launch(1, 1, 48 * 1024) == cudaSuccess);
  CHECK(launch(1, 1, 48 * 1024 + 1) == cudaErrorInvalidValue);
  const auto raise = [](int bytes) {
    return cudaFuncSetAttribute(nullptr, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  };
  CHECK(raise(227 * 1024 + 1) == cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(raise(227 * 1024) == cudaSuccess);
  CHECK(launch(1, 1, 227 * 1024) == cudaSuccess);
  CHECK(raise(0) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("mock CUDA: copies refuse the host's memory for the device's, and ranges beyond it") {
  const DeviceMemory there;
  char here[128] = {};
  CHECK(cudaMemcpy(here, here + 64, 64, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(there.memory, there.memory, 64, cudaMemcpyDeviceToHost) ==
        cudaErrorInvalidValue);
  CHECK(cudaMemcpy(there.memory, here, 65, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(there.memory, here, 64, cudaMemcpyHostToDevice) == cudaSuccess);
  cudaGetLastError();
}

TEST_CASE("mock CUDA: a pinned copy reads the host's memory late, a pageable one at once") {
  const DeviceMemory there;
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  void* pinned = nullptr;
  REQUIRE(cudaHostAlloc(&pinned, 64, cudaHostAllocDefault) == cudaSuccess);
  float pageable[16], back[16];
  for (float* source : {pageable, static_cast<float*>(pinned)}) {
    const mock_cuda::Counts before = mock_cuda::counts();
    std::fill_n(source, 16, 1.0F);
    CHECK(cudaMemcpyAsync(there.memory, source, 64, cudaMemcpyHostToDevice, stream) == cudaSuccess);
    std::fill_n(source, 16, 2.0F);  // too early where nobody has waited
    const bool late = source == pinned;
    CHECK((mock_cuda::counts() - before).blocking_copies == (late ? 0 : 1));
    CHECK(cudaMemcpy(back, there.memory, 64, cudaMemcpyDeviceToHost) == cudaSuccess);
    CHECK(back[0] == (late ? 2.0F : 1.0F));
  }
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
  cudaStreamDestroy(stream);
}

TEST_CASE("mock CUDA: a kernel that fails is reported by the next wait, and by every call after") {
  simt::emulator::Kernel kernel = nothing();
  kernel.call = [](const void*) { fail("what the kernel did"); };
  CHECK(mock_cuda::launch_kernel(kernel, 1, 1, 0, nullptr) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  CHECK(mock_cuda::failure().find("what the kernel did") != std::string::npos);
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, 64) == cudaErrorLaunchFailure);
  mock_cuda::forget_failure();
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("mock CUDA: an operation on the device cuda is the emulator's kernel, by its name") {
  Context context(Device::cuda);
  const Tensor x = counting(7).to(Device::cuda), y({7}, DType::f32, Device::cuda);
  mock_cuda::record_launches();
  const mock_cuda::Counts before = mock_cuda::counts();
  copy({.y = y, .x = x}, context);
  const mock_cuda::Counts queued = mock_cuda::counts() - before;
  CHECK(queued.launches == 1);
  CHECK(queued.kernels_executed == 0);  // nobody has waited
  const Tensor here = y.to(Device::cpu);
  for (int64_t i = 0; i < 7; ++i) CHECK(here.data<float>()[i] == static_cast<float>(i + 1));
  const std::vector<mock_cuda::Launch> launches = mock_cuda::recorded_launches();
  REQUIRE(launches.size() == 1);
  CHECK(mock_cuda::kernel_name(launches[0].function) == "copy_kernel");
}

TEST_CASE("mock CUDA: a recording replays, and one that allocates or copies is refused by name") {
  Context context(Device::cuda);
  const Tensor x = counting(5).to(Device::cuda), y({5}, DType::f32, Device::cuda);
  Recording recording;
  const mock_cuda::Counts before = mock_cuda::counts();
  for (int i = 0; i < 4; ++i) {
    x.copy_from(counting(5 + i).rows(i, 5 + i));
    recording.run(context, [&] { copy({.y = y, .x = x}, context); });
    const Tensor here = y.to(Device::cpu);
    CHECK(here.data<float>()[0] == static_cast<float>(i + 1));
  }
  const mock_cuda::Counts done = mock_cuda::counts() - before;
  CHECK(done.launches == 2);  // the first run, and the recorded one
  CHECK(done.graph_launches == 3);
  CHECK(done.kernels_executed == 4);
  CHECK(mock_cuda::nodes_of_last_graph() == 1);

  const auto recorded_wrongly = [&](const std::function<void()>& mistake) {
    Recording wrong;
    bool warm = false;
    const auto work = [&] {
      copy({.y = y, .x = x}, context);
      if (std::exchange(warm, true)) mistake();
    };
    wrong.run(context, work);
    wrong.run(context, work);
  };
  CHECK_THROWS_WITH_AS(recorded_wrongly([] { Tensor({9}, DType::f32, Device::cuda); }),
                       doctest::Contains("cudaErrorStreamCaptureUnsupported"), Error);
  CHECK_THROWS_WITH_AS(recorded_wrongly([&] { x.copy_from(counting(5)); }),
                       doctest::Contains("cudaErrorStreamCaptureImplicit"), Error);
  copy({.y = y, .x = x}, context);  // and the context works on
  CHECK(y.to(Device::cpu).data<float>()[4] == x.to(Device::cpu).data<float>()[4]);
}
