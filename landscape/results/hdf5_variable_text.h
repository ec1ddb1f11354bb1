// Strings of variable length in HDF5 files, as h5py writes texts. HDF5 (1.10) believes what a damaged file says of where
// they are and how long: it asks for as much memory, reads beyond a heap, follows an object of no length for ever. So
// these are read here, from the bytes, and every number in them is held against the file.
#pragma once

#include <cstdint>
#include <string>

namespace topograd {

/// The strings of variable length of one file. Every function throws Error with the reason alone
/// where the file is damaged.
class Hdf5VariableText {
 public:
  /// Strings of the file at `path`, behind whose first `user_block` bytes HDF5's begin. Its
  /// addresses and lengths have eight bytes.
  Hdf5VariableText(std::string path, uint64_t user_block);

  /// Returns the string of a dataset that stores one, `storage` bytes from the file's beginning.
  std::string of_dataset(uint64_t storage) const;
  /// Returns the string of an attribute that is one, of the object whose header begins at
  /// `header`, an address of HDF5's.
  std::string of_attribute(uint64_t header, const std::string& name) const;

 private:
  std::string path_;
  uint64_t user_block_;
  uint64_t file_bytes_;

  std::string bytes(uint64_t at, uint64_t count) const;
  std::string described(const std::string& descriptor) const;
};

}  // namespace topograd
