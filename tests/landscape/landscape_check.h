// What the tests of landscape/ share: a small network's layout, and random numbers to fill it with.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "kernels/core/philox.h"
#include "nn/parameter_layout.h"
#include "tests/temporary_folder.h"

namespace topograd::test {

/// Whether two numbers are equal, or neither is one.
inline bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_contents(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file of the material that developers share, or empty (with a message) where it is not there.
inline std::string shared_file(const std::string& name) {
  const char* folder = std::getenv("TOPOGRAD_SHARED");
  const std::string path = folder ? std::string(folder) + "/" + name : "";
  if (folder && std::filesystem::exists(path)) return path;
  MESSAGE("SKIPPED: TOPOGRAD_SHARED names no folder that holds ", name);
  return "";
}

/// Two convolutions (no two extents alike), each with BatchNorm, and a fully connected layer.
inline ParameterLayout small_layout() {
  ParameterLayout layout;
  const auto add_batchnorm = [&](const std::string& name, int64_t channels) {
    layout.add(name + ".weight", ParameterKind::norm_scale, {channels});
    layout.add(name + ".bias", ParameterKind::norm_shift, {channels});
    layout.add(name + ".running_mean", ParameterKind::bn_mean, {channels});
    layout.add(name + ".running_var", ParameterKind::bn_variance, {channels});
  };
  layout.add("conv1.weight", ParameterKind::conv_weight, {4, 3, 2, 5});
  add_batchnorm("bn1", 4);
  layout.add("conv2.weight", ParameterKind::conv_weight, {7, 1, 3, 4});
  add_batchnorm("bn2", 7);
  layout.add("linear.weight", ParameterKind::linear_weight, {3, 7});
  layout.add("linear.bias", ParameterKind::bias, {3});
  return layout;
}

inline Tensor random_vector(int64_t size, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  Tensor vector({size});
  for (int64_t i = 0; i < size; ++i)
    vector.data<float>()[i] = static_cast<float>(random.normal(static_cast<uint64_t>(i)));
  return vector;
}

inline bool same_values(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined() || (a.defined() && a.size() != b.size())) return false;
  for (int64_t i = 0; a.defined() && i < a.size(); ++i)
    if (!(a.data<float>()[i] == b.data<float>()[i])) return false;
  return true;
}

}  // namespace topograd::test
