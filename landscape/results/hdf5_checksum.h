// Checksum of what an HDF5 file holds, which every file that is written here has as an attribute.
#pragma once

#include <cstdint>
#include <string>

namespace topograd {

/// The root's attribute that holds the checksum.
constexpr const char* kChecksumAttribute = "checksum";

/// Returns the checksum of an open HDF5 file, `file` being HDF5's handle: XXH64 over the names,
/// types, extents and values of all datasets and of the root's attributes, without the checksum's
/// own, as 16 hexadecimal digits. It does not depend on where in the file they lie. Returns "" for
/// a file with something in it that Hdf5File does not write: links other than plain ones, values in
/// chunks or elsewhere, types of variable length, more values than the file has bytes. It does not
/// protect against somebody who computes it anew. Throws Error if HDF5 cannot read something.
std::string hdf5_checksum(int64_t file, const std::string& path);

}  // namespace topograd
