// numpy's .npy format, and .npz archives of it: https://numpy.org/neps/nep-0001-npy-format.html.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace topograd {

/// An array of numpy, row-major and little-endian.
struct NumpyArray {
  std::string type;  ///< as in the file, without the byte order: "u1", "f4", "i8"
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  int64_t count() const;  ///< elements
};

/// Reads the bytes of a .npy file. Throws Error: no such file, damaged, an order of Fortran or of
/// big-endian machines, objects of Python.
NumpyArray read_npy(std::string_view file);

/// Reads one array of a .npz archive; an empty type where it has none of this name. Throws Error,
/// also where it would be larger than 256 times the archive.
NumpyArray read_npz(const std::string& path, const std::string& name);

}  // namespace topograd
