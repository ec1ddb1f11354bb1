#include "landscape/results/hdf5_file.h"

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "kernels/core/output_claim.h"
#include "landscape/results/hdf5_checksum.h"
#include "landscape/results/hdf5_handle.h"
#include "landscape/results/hdf5_lock.h"
#include "landscape/results/hdf5_variable_text.h"

namespace topograd {

static_assert(sizeof(hid_t) == sizeof(int64_t), "Hdf5File keeps HDF5's handle in an int64_t");

using hdf5::checked;
using hdf5::Handle;
using hdf5::Lock;

namespace {

/// Returns access properties without file locks, which some network file systems refuse.
Handle file_access() {
  Handle access(checked(H5Pcreate(H5P_FILE_ACCESS), "prepare HDF5"), H5Pclose);
  checked(H5Pset_file_locking(access, false, true), "prepare HDF5");
  return access;
}

/// HDF5 types of a number in memory, and in a file: little-endian on any machine.
struct NumberType {
  hid_t memory;
  hid_t file;
};
NumberType type_of(float) {
  return {H5T_NATIVE_FLOAT, H5T_IEEE_F32LE};
}
NumberType type_of(double) {
  return {H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE};
}
NumberType type_of(uint8_t) {
  return {H5T_NATIVE_UINT8, H5T_STD_U8LE};
}
NumberType type_of(int64_t) {
  return {H5T_NATIVE_INT64, H5T_STD_I64LE};
}

/// Returns a string type of fixed length, including the terminating zero. Variable strings would be
/// in the global heap, which has no checksum: the library crashes on a damaged one.
Handle text_type(const std::string& value) {
  Handle type(checked(H5Tcopy(H5T_C_S1), "prepare an HDF5 string"), H5Tclose);
  checked(H5Tset_size(type, value.size() + 1), "prepare an HDF5 string");
  checked(H5Tset_cset(type, H5T_CSET_UTF8), "prepare an HDF5 string");
  return type;
}

/// Returns access properties that follow no link into another file; one that is met sets `met`.
Handle link_access(bool& met) {
  Handle access(checked(H5Pcreate(H5P_LINK_ACCESS), "prepare HDF5"), H5Pclose);
  const auto refuse = [](const char*, const char*, const char*, const char*, unsigned*, hid_t,
                         void* out) -> herr_t {
    *static_cast<bool*>(out) = true;
    return -1;
  };
  checked(H5Pset_elink_cb(access, refuse, &met), "prepare HDF5");
  return access;
}

/// Throws Error for a dataset whose values lie in other files: a file that somebody sends must not
/// read the reader's own.
void require_own_values(hid_t dataset, const std::string& path, const std::string& name) {
  const Handle creation(checked(H5Dget_create_plist(dataset), "open '", name, "' of ", path),
                        H5Pclose);
  const bool elsewhere =
      H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0;
  require(!elsewhere, "cannot read '", name, "' of ", path,
          ": its values lie in another file, which is not read");
}

/// Opens a group or a dataset.
Handle open_object(hid_t file, const std::string& path, const std::string& name) {
  bool leads_away = false;
  const Handle access = link_access(leads_away);
  const hid_t opened = H5Oopen(file, name.c_str(), access);
  require(!leads_away, "cannot read '", name, "' of ", path,
          ": it is a link into another file, which is not read");
  Handle object(checked(opened, "open '", name, "' of ", path), H5Oclose);
  if (H5Iget_type(object) == H5I_DATASET) require_own_values(object, path, name);
  return object;
}

Handle open_dataset(hid_t file, const std::string& path, const std::string& name) {
  Handle object = open_object(file, path, name);
  require(H5Iget_type(object) == H5I_DATASET, "cannot read '", name, "' of ", path,
          ": it is no dataset");
  return object;
}

hsize_t file_bytes(hid_t file, const std::string& path) {
  hsize_t bytes = 0;
  checked(H5Fget_filesize(file, &bytes), "measure ", path);
  return bytes;
}

/// Bytes that this many stored ones may stand for: Deflate, HDF5's best filter, packs at most 1032
/// to one; without a filter a dataset that is not yet written to its end may be larger than what is
/// stored.
hsize_t most_bytes(hid_t dataset, hsize_t stored, const std::string& what) {
  const Handle creation(checked(H5Dget_create_plist(dataset), what), H5Pclose);
  return H5Pget_nfilters(creation) > 0 ? 1032 * stored : 16 * stored + 65536;
}

/// Returns the strings of variable length of a file.
Hdf5VariableText variable_text(hid_t file, const std::string& path, const std::string& what) {
  const Handle creation(checked(H5Fget_create_plist(file), "read ", what), H5Pclose);
  size_t address_bytes = 0, length_bytes = 0;
  hsize_t user_block = 0;
  checked(H5Pget_sizes(creation, &address_bytes, &length_bytes), "read ", what);
  checked(H5Pget_userblock(creation, &user_block), "read ", what);
  require(address_bytes == 8 && length_bytes == 8, "its addresses have ", address_bytes,
          " bytes and its lengths ", length_bytes, ", not 8");
  return {path, user_block};
}

/// Returns read_variable() for a string of variable length, and reads others; `read(type, buffer)`
/// is H5Dread or H5Aread, negative on failure.
template <class Read, class ReadVariable>
std::string text_value(hsize_t bytes_of_file, hid_t type, Read read, ReadVariable read_variable,
                       const std::string& what) {
  if (checked(H5Tis_variable_str(type), "read ", what) > 0) {
    try {
      return read_variable();
    } catch (const Error& error) {
      fail("cannot read ", what, ": ", error.what());
    }
  }
  require(H5Tget_size(type) <= bytes_of_file, "cannot read ", what,
          ": it is longer than the file, which is damaged");
  std::string result(H5Tget_size(type), '\0');
  checked(read(type, static_cast<void*>(result.data())), "read ", what);
  result.resize(strnlen(result.data(), result.size()));
  if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) result.resize(result.find_last_not_of(' ') + 1);
  return result;
}

template <class T>
std::string attribute_number(hid_t attribute, const std::string& what) {
  T value{};
  checked(H5Aread(attribute, type_of(T{}).memory, &value), "read ", what);
  return shortest(value);
}

/// Adds name -> text if the attribute is one string or one number.
void add_attribute(hid_t file, const std::string& path, const std::string& name,
                   std::map<std::string, std::string>& out) {
  const std::string what = text("attribute '", name, "' of ", path);
  const Handle attribute(checked(H5Aopen(file, name.c_str(), H5P_DEFAULT), "open ", what),
                         H5Aclose);
  const Handle space(checked(H5Aget_space(attribute), "open ", what), H5Sclose);
  const Handle type(checked(H5Aget_type(attribute), "open ", what), H5Tclose);
  if (H5Sget_simple_extent_npoints(space) != 1) return;
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_STRING)
    out[name] = text_value(
        file_bytes(file, path), type,
        [&](hid_t t, void* value) { return H5Aread(attribute, t, value); },
        [&] {
#if H5_VERSION_GE(1, 12, 0)
          H5O_info1_t object{};
#else
          H5O_info_t object{};
#endif
          checked(H5Oget_info1(file, &object), "read ", what);
          return variable_text(file, path, what).of_attribute(object.addr, name);
        },
        what);
  else if (kind == H5T_INTEGER)
    out[name] = attribute_number<int64_t>(attribute, what);
  else if (kind == H5T_FLOAT)
    out[name] = attribute_number<double>(attribute, what);
}

void write_attribute(hid_t file, const std::string& path, const std::string& name, hid_t type,
                     hid_t memory, const void* value) {
  const std::string what = text("attribute '", name, "' of ", path);
  const Handle space(checked(H5Screate(H5S_SCALAR), "write ", what), H5Sclose);
  const Handle attribute(
      checked(H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), "write ",
              what),
      H5Aclose);
  checked(H5Awrite(attribute, memory, value), "write ", what);
}

/// Returns creation properties without timestamps, which would make equal files differ.
Handle without_times(hid_t property_class) {
  Handle creation(checked(H5Pcreate(property_class), "prepare HDF5"), H5Pclose);
  checked(H5Pset_obj_track_times(creation, false), "prepare HDF5");
  return creation;
}

/// Makes the missing parent groups of `name`.
void create_groups(hid_t file, const std::string& path, const std::string& name) {
  for (size_t end = name.find('/', 1); end != name.npos; end = name.find('/', end + 1)) {
    const std::string group = name.substr(0, end);
    const std::string what = text("write '", group, "' of ", path);
    if (checked(H5Lexists(file, group.c_str(), H5P_DEFAULT), what) > 0) continue;
    const Handle created(checked(H5Gcreate2(file, group.c_str(), H5P_DEFAULT,
                                            without_times(H5P_GROUP_CREATE), H5P_DEFAULT),
                                 what),
                         H5Gclose);
  }
}

/// Throws Error if the file holds a checksum, and its contents have another one.
void require_checksum(hid_t file, const std::string& path) {
  const std::string what = text("look for the checksum of ", path);
  if (checked(H5Aexists(file, kChecksumAttribute), what) == 0) return;
  std::map<std::string, std::string> held;
  add_attribute(file, path, kChecksumAttribute, held);
  require(
      held[kChecksumAttribute] == hdf5_checksum(file, path), path,
      " was damaged, or altered: its contents are not those of its checksum. Restore a copy, or "
      "compute it again; a program that alters it on purpose removes the attribute '",
      kChecksumAttribute, "'");
}

Handle create_dataset(hid_t file, const std::string& path, const std::string& name, hid_t type,
                      const Shape& shape) {
  create_groups(file, path, name);
  const std::string what = text("write '", name, "' of ", path);
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const Handle space(
      checked(shape.rank() == 0 ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(shape.rank(), extents.data(), nullptr),
              what),
      H5Sclose);
  return {checked(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT,
                             without_times(H5P_DATASET_CREATE), H5P_DEFAULT),
                  what),
          H5Dclose};
}

}  // namespace

Hdf5File Hdf5File::open_read(const std::string& path, Checksum checksum) {
  // The system's reason why a file cannot be opened is shorter than HDF5's.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor >= 0, "cannot open ", path, ": ", std::strerror(errno));
  ::close(descriptor);
  note_input(path);
  const Lock lock;
  H5PLset_loading_state(0);  // a file cannot have a library loaded that would be its filter
  require(H5Fis_hdf5(path.c_str()) > 0, "cannot open ", path, ": it is not an HDF5 file");
  Hdf5File file(path, checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, file_access()), "open ", path),
                /*writing=*/false);
  if (checksum == Checksum::compare) require_checksum(file.id_, path);
  return file;
}

Hdf5File Hdf5File::create(const std::string& path) {
  const Lock lock;
  write_bytes(path, "");  // fails here, not in close(), if `path` cannot be written
  const Handle access = file_access();
  // In memory until close(): on a full disk HDF5 cannot close its file, and the library crashes at
  // the end of the program.
  checked(H5Pset_fapl_core(access, size_t{1} << 20, /*backing_store=*/false), "prepare HDF5");
  // The format of HDF5 1.8, not the default of 1998: its structures have checksums, so a damaged
  // file gives an error; the library may crash on the older one.
  checked(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18), "prepare HDF5");
  return {path,
          checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, without_times(H5P_FILE_CREATE), access),
                  "create ", path),
          /*writing=*/true};
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : path_(std::move(other.path_)), writing_(other.writing_), id_(std::exchange(other.id_, -1)) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(writing_, other.writing_);
  std::swap(id_, other.id_);
  return *this;
}

Hdf5File::~Hdf5File() {
  if (id_ < 0) return;
  const Lock lock;
  H5Fclose(id_);
}

void Hdf5File::close(bool with_checksum) {
  const Lock lock;
  if (writing_) {
    if (with_checksum) set_attribute(kChecksumAttribute, hdf5_checksum(id_, path_));
    checked(H5Fflush(id_, H5F_SCOPE_GLOBAL), "write ", path_);
    // H5Fget_file_image gives the size; its copy has a wrong checksum, a bug of HDF5.
    const ssize_t bytes = checked(H5Fget_file_image(id_, nullptr, 0), "write ", path_);
    void* buffer = nullptr;
    checked(H5Fget_vfd_handle(id_, H5P_DEFAULT, &buffer), "write ", path_);
    write_bytes(path_, {*static_cast<const char**>(buffer), static_cast<size_t>(bytes)});
  }
  checked(H5Fclose(std::exchange(id_, -1)), "close ", path_);
}

bool Hdf5File::has(const std::string& name) const {
  const Lock lock;
  // H5Lexists fails unless all parent groups exist: check them one after the other.
  for (size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string prefix = name.substr(0, end);
    if (checked(H5Lexists(id_, prefix.c_str(), H5P_DEFAULT), "look for '", name, "' in ", path_) ==
        0)
      return false;
    if (end != std::string::npos) open_object(id_, path_, prefix);  // what leads away is an error
    if (end == std::string::npos) return true;
  }
}

bool Hdf5File::is_group(const std::string& name) const {
  const Lock lock;
  return H5Iget_type(open_object(id_, path_, name)) == H5I_GROUP;
}

bool Hdf5File::is_numeric(const std::string& name) const {
  const Lock lock;
  const Handle object = open_object(id_, path_, name);
  if (H5Iget_type(object) != H5I_DATASET) return false;
  const Handle type(checked(H5Dget_type(object), "open '", name, "' of ", path_), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type);
  // Numbers of more than sixteen bytes are no machine's.
  return (kind == H5T_INTEGER || kind == H5T_FLOAT) && H5Tget_size(type) <= 16;
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const Lock lock;
  const std::string what = text("list '", group, "' of ", path_);
  const Handle opened = open_object(id_, path_, group);
  require(H5Iget_type(opened) == H5I_GROUP, "cannot ", what, ": it is no group");
  H5G_info_t info;
  checked(H5Gget_info(opened, &info), what);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto name = [&](char* buffer, size_t size) {
      return checked(
          H5Lget_name_by_idx(opened, ".", H5_INDEX_NAME, H5_ITER_INC, i, buffer, size, H5P_DEFAULT),
          what);
    };
    std::string& added = names.emplace_back(static_cast<size_t>(name(nullptr, 0)), '\0');
    name(added.data(), added.size() + 1);
  }
  return names;
}

Shape Hdf5File::shape(const std::string& name) const {
  const Lock lock;
  const Handle dataset = open_dataset(id_, path_, name);
  const std::string what = text("read the shape of '", name, "' of ", path_);
  const Handle space(checked(H5Dget_space(dataset), what), H5Sclose);
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return {0};
  const int rank = checked(H5Sget_simple_extent_ndims(space), what);
  require(rank <= 4, "'", name, "' of ", path_, " has ", rank, " axes, at most four are known");
  hsize_t extents[4] = {};
  checked(H5Sget_simple_extent_dims(space, extents, nullptr), what);
  // A damaged file may claim any extent, and so may one that was never written to.
  const Handle type(checked(H5Dget_type(dataset), what), H5Tclose);
  const hsize_t stored = std::min(H5Dget_storage_size(dataset), file_bytes(id_, path_));
  hsize_t room = most_bytes(dataset, stored, what) / std::max<hsize_t>(1, H5Tget_size(type));
  for (int i = 0; i < rank; ++i) {
    require(extents[i] <= room, "cannot ", what,
            ": it is larger than what the file holds of it, which is damaged");
    room /= std::max<hsize_t>(1, extents[i]);
  }
  return {extents, extents + rank};
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& name) const {
  const Lock lock;
  require(is_numeric(name), "cannot read '", name, "' of ", path_, ": it does not hold numbers");
  std::vector<T> values(static_cast<size_t>(shape(name).size()));
  if (values.empty()) return values;
  checked(H5Dread(open_dataset(id_, path_, name), type_of(T{}).memory, H5S_ALL, H5S_ALL,
                  H5P_DEFAULT, values.data()),
          "read '", name, "' of ", path_);
  return values;
}
template std::vector<float> Hdf5File::read(const std::string&) const;
template std::vector<double> Hdf5File::read(const std::string&) const;
template std::vector<uint8_t> Hdf5File::read(const std::string&) const;

double Hdf5File::read_number(const std::string& name) const {
  const std::vector<double> values = read<double>(name);
  require(values.size() == 1, path_, ": ", name, " is not one number");
  return values[0];
}

std::string Hdf5File::read_text(const std::string& name) const {
  const Lock lock;
  const std::string what = text("'", name, "' of ", path_);
  const Handle dataset = open_dataset(id_, path_, name);
  const Handle type(checked(H5Dget_type(dataset), "read ", what), H5Tclose);
  require(H5Tget_class(type) == H5T_STRING && shape(name).size() == 1, "cannot read ", what,
          ": it is not one string");
  const auto read = [&](hid_t memory, void* value) {
    return H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
  };
  const auto read_variable = [&]() -> std::string {
    if (H5Dget_storage_size(dataset) == 0) return "";
    const haddr_t storage = H5Dget_offset(dataset);
    require(storage != HADDR_UNDEF, "its text is stored in pieces, which are not read");
    return variable_text(id_, path_, what).of_dataset(storage);
  };
  return text_value(file_bytes(id_, path_), type, read, read_variable, what);
}

template <class T>
void Hdf5File::write(const std::string& name, const T* values, const Shape& shape) {
  const Lock lock;
  const Handle dataset = create_dataset(id_, path_, name, type_of(T{}).file, shape);
  if (shape.size() == 0) return;
  checked(H5Dwrite(dataset, type_of(T{}).memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write '",
          name, "' of ", path_);
}
template void Hdf5File::write(const std::string&, const float*, const Shape&);
template void Hdf5File::write(const std::string&, const double*, const Shape&);
template void Hdf5File::write(const std::string&, const uint8_t*, const Shape&);

void Hdf5File::write(const std::string& name, const std::vector<double>& values) {
  write(name, values.data(), {static_cast<int64_t>(values.size())});
}

void Hdf5File::write_text(const std::string& name, const std::string& value) {
  const Lock lock;
  const Handle type = text_type(value);
  const Handle dataset = create_dataset(id_, path_, name, type, {});
  checked(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.c_str()), "write '", name,
          "' of ", path_);
}

std::map<std::string, std::string> Hdf5File::attributes() const {
  const Lock lock;
  std::vector<std::string> names;
  const auto add_name = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  hsize_t position = 0;
  checked(H5Aiterate2(id_, H5_INDEX_NAME, H5_ITER_INC, &position, add_name, &names),
          "list the attributes of ", path_);
  std::map<std::string, std::string> result;
  for (const std::string& name : names)
    if (name != kChecksumAttribute) add_attribute(id_, path_, name, result);
  return result;
}

void Hdf5File::set_attribute(const std::string& name, const std::string& value) {
  const Lock lock;
  const Handle type = text_type(value);
  write_attribute(id_, path_, name, type, type, value.c_str());
}

void Hdf5File::set_attribute(const std::string& name, double value) {
  const Lock lock;
  write_attribute(id_, path_, name, type_of(value).file, type_of(value).memory, &value);
}

void Hdf5File::set_attribute(const std::string& name, int64_t value) {
  const Lock lock;
  write_attribute(id_, path_, name, type_of(value).file, type_of(value).memory, &value);
}

}  // namespace topograd
