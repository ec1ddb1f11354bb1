#include "kernels/cuda/cudnn_library.h"

#include <dlfcn.h>

#include <optional>
#include <type_traits>

#include "kernels/core/check.h"

namespace topograd::cuda {

namespace {

std::optional<Cudnn> load() {
  const std::string name = text("libcudnn.so.", CUDNN_MAJOR);
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays loaded
  if (!library) return {};
  Cudnn cudnn{};
  bool complete = true;
  const auto find = [&](const char* function_name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        dlsym(library, function_name));
    complete = complete && function != nullptr;
  };
#define TOPOGRAD_FIND(function) find(#function, cudnn.function);
  TOPOGRAD_CUDNN_FUNCTIONS(TOPOGRAD_FIND)
#undef TOPOGRAD_FIND
  // Its parts are libraries of their own, the first of which this needs.
  cudnnHandle_t handle = nullptr;
  if (!complete || cudnn.cudnnCreate(&handle) != CUDNN_STATUS_SUCCESS) return {};
  cudnn.cudnnDestroy(handle);
  return cudnn;
}

}  // namespace

const Cudnn* Cudnn::library() {
  static const std::optional<Cudnn> cudnn = load();
  return cudnn ? &*cudnn : nullptr;
}

}  // namespace topograd::cuda
