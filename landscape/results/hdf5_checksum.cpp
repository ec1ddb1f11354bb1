#include "landscape/results/hdf5_checksum.h"

#include <algorithm>
#include <vector>

#include "kernels/core/hash.h"
#include "landscape/results/hdf5_handle.h"

namespace topograd {

using hdf5::checked;
using hdf5::Handle;

namespace {

/// Thrown on meeting what Hdf5File does not write.
struct ForeignContents {};

void require_own(bool own) {
  if (!own) throw ForeignContents();
}

constexpr int kDeepestGroup = 8;            // Hdf5File's users need three
constexpr hsize_t kReadBytes = 16'777'216;  // of a dataset at a time

class ContentHash {
 public:
  ContentHash(hid_t file, const std::string& path) : file_(file), doing_("read all of " + path) {
    hsize_t bytes = 0;
    checked(H5Fget_filesize(file, &bytes), doing_);
    left_ = bytes;
  }

  uint64_t of_all() {
    add_attributes();
    const Handle root(checked(H5Gopen2(file_, "/", H5P_DEFAULT), doing_), H5Gclose);
    add_group(root, 0);
    return hash_;
  }

 private:
  void add(const void* data, size_t bytes) { hash_ = content_hash(data, bytes, hash_); }
  void add(uint64_t number) { add(&number, sizeof number); }
  void add(const std::string& text) {
    add(text.size());
    add(text.data(), text.size());
  }

  /// Counts bytes against the file's size, which a file whose members are in it once cannot exceed.
  void spend(hsize_t count, hsize_t each) {
    require_own(each == 0 || count <= left_ / each);
    left_ -= count * each;
  }

  void add_type(hid_t type) {
    const H5T_class_t kind = H5Tget_class(type);
    require_own(kind == H5T_INTEGER || kind == H5T_FLOAT ||
                (kind == H5T_STRING && H5Tis_variable_str(type) == 0));
    add(static_cast<uint64_t>(kind));
    add(H5Tget_size(type));
  }

  void add_attributes() {
    std::vector<std::string> names;
    const auto add_name = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
      static_cast<std::vector<std::string>*>(out)->push_back(name);
      return 0;
    };
    hsize_t position = 0;
    checked(H5Aiterate2(file_, H5_INDEX_NAME, H5_ITER_INC, &position, add_name, &names), doing_);
    for (const std::string& name : names)
      if (name != kChecksumAttribute) add_attribute(name);
  }

  void add_attribute(const std::string& name) {
    const Handle attribute(checked(H5Aopen(file_, name.c_str(), H5P_DEFAULT), doing_), H5Aclose);
    const Handle type(checked(H5Aget_type(attribute), doing_), H5Tclose);
    const Handle space(checked(H5Aget_space(attribute), doing_), H5Sclose);
    add(name);
    add_type(type);
    require_own(H5Sget_simple_extent_npoints(space) == 1);
    spend(1, H5Tget_size(type));
    std::vector<char> value(H5Tget_size(type));
    checked(H5Aread(attribute, type, value.data()), doing_);
    add(value.data(), value.size());
  }

  void add_group(hid_t group, int depth) {
    require_own(depth < kDeepestGroup);
    H5G_info_t info;
    checked(H5Gget_info(group, &info), doing_);
    add(info.nlinks);
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      char name[256];
      const ssize_t length = checked(H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i,
                                                        name, sizeof name, H5P_DEFAULT),
                                     doing_);
      require_own(length < static_cast<ssize_t>(sizeof name));
      spend(1, static_cast<hsize_t>(length));  // a name takes its own bytes, too
      H5L_info_t link;
      checked(H5Lget_info(group, name, &link, H5P_DEFAULT), doing_);
      require_own(link.type == H5L_TYPE_HARD);
      add(std::string(name));
      const Handle object(checked(H5Oopen(group, name, H5P_DEFAULT), doing_), H5Oclose);
      const H5I_type_t kind = H5Iget_type(object);
      require_own(kind == H5I_GROUP || kind == H5I_DATASET);
      add(static_cast<uint64_t>(kind == H5I_GROUP));
      if (kind == H5I_GROUP)
        add_group(object, depth + 1);
      else
        add_dataset(object);
    }
  }

  void add_dataset(hid_t dataset) {
    const Handle creation(checked(H5Dget_create_plist(dataset), doing_), H5Pclose);
    const H5D_layout_t layout = H5Pget_layout(creation);
    require_own((layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) &&
                H5Pget_external_count(creation) == 0);
    const Handle type(checked(H5Dget_type(dataset), doing_), H5Tclose);
    const Handle space(checked(H5Dget_space(dataset), doing_), H5Sclose);
    add_type(type);
    const int rank = checked(H5Sget_simple_extent_ndims(space), doing_);
    require_own(rank <= 4);
    hsize_t extents[4] = {};
    checked(H5Sget_simple_extent_dims(space, extents, nullptr), doing_);
    add(static_cast<uint64_t>(rank));
    add(extents, static_cast<size_t>(rank) * sizeof extents[0]);
    const auto count = static_cast<hsize_t>(H5Sget_simple_extent_npoints(space));
    spend(count, H5Tget_size(type));
    if (count == 0) return;
    const hsize_t slices = rank == 0 ? 1 : extents[0];
    add_values(dataset, type, space, slices, count / slices * H5Tget_size(type));
  }

  /// Reads a dataset in slices along its first axis, so that a large one needs no second copy.
  void add_values(hid_t dataset, hid_t type, hid_t space, hsize_t slices, hsize_t slice_bytes) {
    const int rank = H5Sget_simple_extent_ndims(space);
    const hsize_t at_once = std::clamp<hsize_t>(kReadBytes / slice_bytes, 1, slices);
    std::vector<char> values(at_once * slice_bytes);
    for (hsize_t first = 0; first < slices; first += at_once) {
      hsize_t count[4] = {}, start[4] = {first, 0, 0, 0};
      checked(H5Sget_simple_extent_dims(space, count, nullptr), doing_);
      const hsize_t now = std::min(at_once, slices - first);
      count[0] = now;
      if (rank > 0)
        checked(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr), doing_);
      const Handle memory(checked(H5Screate_simple(rank, count, nullptr), doing_), H5Sclose);
      checked(H5Dread(dataset, type, memory, space, H5P_DEFAULT, values.data()), doing_);
      add(values.data(), now * slice_bytes);
    }
  }

  hid_t file_;
  std::string doing_;
  hsize_t left_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace

std::string hdf5_checksum(int64_t file, const std::string& path) {
  try {
    return hex(ContentHash(file, path).of_all());
  } catch (const ForeignContents&) {
    return "";
  }
}

}  // namespace topograd
