// HDF5 files: the few calls that surfaces, directions and trajectories need.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// An open HDF5 file. Names are paths inside it: "train_loss", "xdirection/0".
///
/// Every failure is an Error that names the file, what was being done and HDF5's own reason; HDF5
/// prints nothing itself. HDF5 is not thread-safe: use files from one thread at a time. Files are
/// opened without locks (network file systems refuse them): writers create a fresh file and rename
/// it, see kernels/core/atomic_file.h, so nobody ever reads a file that is being written.
class Hdf5File {
 public:
  static Hdf5File open_read(const std::string& path);
  /// A new, empty file in the format of HDF5 1.8 (2008); an old file is replaced. Until close() its
  /// contents are in memory. For use inside write_file_atomically: an Error of the file system,
  /// here or in close(), is the system's text alone ("No space left on device").
  static Hdf5File create(const std::string& path);

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  ~Hdf5File();  ///< drops what was written, unless close() came first

  /// Writes and closes; an Error where the disk took less than was written.
  void close();

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const;
  bool is_group(const std::string& name) const;
  /// Whether `name` is a dataset of integers or floating point numbers.
  bool is_numeric(const std::string& name) const;
  /// The names of a group's members, in alphabetical order.
  std::vector<std::string> members(const std::string& group = "/") const;
  /// A dataset's extents; {} for a scalar. More than four are an Error.
  Shape shape(const std::string& name) const;

  /// All values of a dataset, converted to T: float, double or uint8_t.
  template <class T>
  std::vector<T> read(const std::string& name) const;
  /// A dataset of one string, of fixed or variable length.
  std::string read_text(const std::string& name) const;

  /// A new dataset of shape.size() values of T: float, double or uint8_t, little-endian. Groups in
  /// its name are made where they are missing. Equal contents give files equal to the byte.
  template <class T>
  void write(const std::string& name, const T* values, const Shape& shape);
  /// A new scalar dataset: one string, UTF-8, of fixed length.
  void write_text(const std::string& name, const std::string& value);

  /// The file's own attributes as text: those that are one string or one number; others are left
  /// out. Floating point numbers are printed so that reading them back gives the same value.
  std::map<std::string, std::string> attributes() const;
  void set_attribute(const std::string& name, const std::string& value);
  void set_attribute(const std::string& name, double value);
  void set_attribute(const std::string& name, int64_t value);

 private:
  Hdf5File(std::string path, int64_t id, bool writing)
      : path_(std::move(path)), writing_(writing), id_(id) {}

  std::string path_;
  bool writing_ = false;
  int64_t id_ = -1;  // HDF5's hid_t; negative once closed
};

}  // namespace topograd
