// Which GPU a process takes, and what it says where there is none that works.
#include <doctest/doctest.h>

#include <cstdlib>
#include <thread>

#include "kernels/cuda/cuda_context.h"
#include "tests/mock_cuda/mock_cuda.h"

using namespace topograd;

namespace {

/// Another machine, while it lives.
struct OnMachine {
  explicit OnMachine(const mock_cuda::Machine& machine) { mock_cuda::set_machine(machine); }
  ~OnMachine() { mock_cuda::set_machine({}); }
};

/// The GPU that a process of this local rank takes, asked in a thread that has not chosen yet.
int gpu_of_rank(const char* variable, const char* rank) {
  setenv(variable, rank, 1);
  int chosen = -1;
  std::thread([&] {
    const Tensor t({1}, DType::f32, Device::cuda);
    chosen = mock_cuda::current_device();
  }).join();
  unsetenv(variable);
  return chosen;
}

}  // namespace

TEST_CASE("cuda without a GPU: a driver that is too old is named, with both versions") {
  CHECK(is_available(Device::cuda));
  CHECK(why_unavailable(Device::cuda) == "");
  const OnMachine machine({.driver_version = 12040});
  CHECK_FALSE(is_available(Device::cuda));
  CHECK(why_unavailable(Device::cuda) ==
        "no GPU that works is here: its driver is for CUDA 12.4, and this build for CUDA 13.0; "
        "install a newer driver, or build with the toolkit of CUDA 12.4");
  CHECK(cudaGetLastError() == cudaSuccess);  // or the next launch would report it
}

TEST_CASE("cuda without a GPU: no driver, no GPU and an old GPU are told apart") {
  {
    const OnMachine machine({.devices = 0, .driver_version = 0});
    CHECK(why_unavailable(Device::cuda) ==
          "no GPU that works is here: NVIDIA's driver is not installed");
  }
  {
    const OnMachine machine({.devices = 0});
    CHECK(why_unavailable(Device::cuda) == "no GPU that works is here: cudaErrorNoDevice");
  }
  const OnMachine machine({.compute_capability_major = 7});
  CHECK_FALSE(is_available(Device::cuda));
  CHECK(why_unavailable(Device::cuda).find("its compute capability is 7.x") != std::string::npos);
}

TEST_CASE("cuda without a GPU: processes of a machine take its GPUs in turn") {
  const OnMachine machine({.devices = 4});
  for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                               "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"}) {
    CAPTURE(variable);
    CHECK(gpu_of_rank(variable, "0") == 0);
    CHECK(gpu_of_rank(variable, "3") == 3);
    CHECK(gpu_of_rank(variable, "6") == 2);
  }
  CHECK(gpu_of_rank("TOPOGRAD_NOTHING", "3") == 0);
}

TEST_CASE("cuda without a GPU: a kernel's failure says that the process has lost the GPU") {
  Context context(Device::cuda);
  const simt::emulator::Kernel wrong{[](const void*) { fail("a wrong address"); }, nullptr, 0,
                                     nullptr};
  CHECK(mock_cuda::launch_kernel(wrong, 1, 1, 0, cuda::stream_of(context)) == cudaSuccess);
  CHECK_THROWS_WITH_AS(synchronise(Device::cuda),
                       doctest::Contains("this process can no longer use the GPU"), Error);
  mock_cuda::forget_failure();
}
