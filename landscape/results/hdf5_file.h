// HDF5 files: the calls that results and directions need.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// An open HDF5 file. Names are paths inside it: "train_loss", "xdirection/0".
///
/// Every failure throws an Error that names the file, the action and HDF5's own reason; HDF5 prints
/// nothing itself. Several threads may use files at once, each its own: their calls take turns
/// (hdf5_lock.h). Files are opened without locks, which some network file systems refuse: writers
/// create a new file and rename it, see kernels/core/atomic_file.h, so that no file is read while it
/// is written.
class Hdf5File {
 public:
  /// Whether to compare the checksum, for which the whole file is read, if it has one.
  enum class Checksum { compare, leave };
  /// Throws Error, too, if the contents have another checksum than the file says. Leaving it is for
  /// looking at what kind of file it is, before its reader opens it.
  static Hdf5File open_read(const std::string& path, Checksum checksum = Checksum::compare);
  /// Creates an empty file in the format of HDF5 1.8 (2008), replacing an old one; its contents are
  /// in memory until close(). Use it inside write_file_atomically(): an Error of the file system,
  /// here or in close(), is only the system's text ("No space left on device").
  static Hdf5File create(const std::string& path);

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  ~Hdf5File();  ///< discards what was written, unless close() was called

  /// Writes the file, with a checksum of its contents that open_read() compares, and closes it.
  /// Throws Error if not all of it could be written.
  void close() { close(/*with_checksum=*/true); }
  /// Writes the file without a checksum, and closes it: for another tool's format, whose files that
  /// tool may alter.
  void close_without_checksum() { close(false); }

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const;
  bool is_group(const std::string& name) const;
  /// Returns whether `name` is a dataset of integers or floating point numbers.
  bool is_numeric(const std::string& name) const;
  /// Returns the names of a group's members, in alphabetical order.
  std::vector<std::string> members(const std::string& group = "/") const;
  /// Returns a dataset's extents; {} for a scalar. Throws Error for more than four.
  Shape shape(const std::string& name) const;

  /// Returns all values of a dataset, converted to T: float, double or uint8_t.
  template <class T>
  std::vector<T> read(const std::string& name) const;
  /// Returns the value of a dataset that holds one number. Throws Error if it holds more.
  double read_number(const std::string& name) const;
  /// Returns a dataset of one string, of fixed or variable length.
  std::string read_text(const std::string& name) const;

  /// Writes a new dataset of shape.size() values of T, little-endian: float, double or uint8_t.
  /// Makes missing groups in its name. Equal contents give bytewise equal files.
  template <class T>
  void write(const std::string& name, const T* values, const Shape& shape);
  /// Writes a new dataset of one axis.
  void write(const std::string& name, const std::vector<double>& values);
  /// Writes a new scalar dataset: one string, UTF-8, of fixed length.
  void write_text(const std::string& name, const std::string& value);

  /// Returns the root's attributes as text: those that are one string or one number, without
  /// others. Floating point numbers read back to the same value.
  std::map<std::string, std::string> attributes() const;
  void set_attribute(const std::string& name, const std::string& value);
  void set_attribute(const std::string& name, double value);
  void set_attribute(const std::string& name, int64_t value);

 private:
  Hdf5File(std::string path, int64_t id, bool writing)
      : path_(std::move(path)), writing_(writing), id_(id) {}
  void close(bool with_checksum);

  std::string path_;
  bool writing_ = false;
  int64_t id_ = -1;  // HDF5's hid_t; negative once closed
};

}  // namespace topograd
