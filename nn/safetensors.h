// The safetensors format: named tensors and a map of strings in one file that every tool can read.
// https://github.com/huggingface/safetensors#format: eight bytes of little-endian header length, a
// JSON header {"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {...}},
// then the tensors' bytes, row-major, little-endian, without holes.
#pragma once

#include <map>
#include <string>

#include "kernels/core/tensor.h"

namespace topograd {

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

/// Reads every tensor of the file. F32, F64, I32 and U8 keep their type; F16 and BF16 become f32,
/// I64 becomes i32. Shapes are the file's (for PyTorch's convolutions OIHW); at most four extents.
/// Throws one Error that names the path when the file cannot be read, is truncated or otherwise
/// damaged (header length, JSON, dtype, shape, offsets out of range, overlapping or with holes),
/// holds a type not listed here, or is of another format (a PyTorch pickle, HDF5).
SafetensorsFile read_safetensors(const std::string& path);

/// Writes tensors of type f32, f64, i32 and u8, atomically (see write_file_atomically).
void write_safetensors(const std::string& path, const SafetensorsFile& file);

}  // namespace topograd
