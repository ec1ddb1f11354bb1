#include "kernels/cuda/cublas_handle.h"

#include <dlfcn.h>

#include <optional>

namespace topograd::cuda {

namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

std::optional<Cublas> load() {
  const std::string name = text("libcublas.so.", CUBLAS_VER_MAJOR);
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays loaded
  if (!library) return {};
  Cublas cublas{};
  // The names behind the macros of cublas_v2.h.
  const bool complete = find(library, "cublasCreate_v2", cublas.create) &&
                        find(library, "cublasDestroy_v2", cublas.destroy) &&
                        find(library, "cublasSetStream_v2", cublas.set_stream) &&
                        find(library, "cublasSetWorkspace_v2", cublas.set_workspace) &&
                        find(library, "cublasSetMathMode", cublas.set_math_mode) &&
                        find(library, "cublasSgemm_v2_64", cublas.sgemm) &&
                        find(library, "cublasGetStatusString", cublas.status_string);
  if (!complete) return {};
  return cublas;
}

/// Workspace that cuBLAS's documentation recommends for Hopper; older GPUs need less.
constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;

struct CublasHandle {
  std::shared_ptr<cublasContext> handle;
};

std::shared_ptr<cublasContext> open(Context& context) {
  const Cublas& cublas = *Cublas::library();
  constexpr const char* kDoing = "preparing cuBLAS";
  const auto stream = shared_stream_of(context);
  const auto workspace = std::make_shared<Storage>(kWorkspaceBytes, Device::cuda);
  cublasHandle_t made = nullptr;
  check(cublas.create(&made), "cublasCreate", kDoing);
  // The stream and the workspace live as long as the handle.
  const std::shared_ptr<cublasContext> handle(made, [stream, workspace](cublasHandle_t h) {
    if (still_running()) Cublas::library()->destroy(h);
  });
  // In this order: setting the stream takes the workspace away.
  check(cublas.set_stream(made, stream.get()), "cublasSetStream", kDoing);
  check(cublas.set_workspace(made, workspace->data(), kWorkspaceBytes), "cublasSetWorkspace",
        kDoing);
  check(cublas.set_math_mode(made, CUBLAS_DEFAULT_MATH), "cublasSetMathMode", kDoing);
  return handle;
}

}  // namespace

const Cublas* Cublas::library() {
  static const std::optional<Cublas> cublas = load();
  return cublas ? &*cublas : nullptr;
}

cublasHandle_t cublas_of(Context& context) {
  CublasHandle& state = context.state<CublasHandle>();
  if (!state.handle) state.handle = open(context);
  return state.handle.get();
}

}  // namespace topograd::cuda
