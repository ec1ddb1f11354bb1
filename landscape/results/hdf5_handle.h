// What the files of this folder that call HDF5 share: handles that close themselves, calls that are
// checked. All of it within a scope of hdf5_lock.h. Included by .cpp files alone: other headers do
// not know of HDF5.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

#include "kernels/core/check.h"

namespace topograd::hdf5 {

/// Returns the innermost message on HDF5's error stack: it names the cause, outer ones the callers.
/// Clears the stack.
std::string reason();

/// Returns the result of an HDF5 call. Throws Error "cannot DOING: reason" if it is negative.
template <class Result, class... Doing>
Result checked(Result result, const Doing&... doing) {
  if (result < 0) {
    const std::string because = reason();
    fail("cannot ", doing..., ": ", because);
  }
  return result;
}

/// HDF5 object that is closed when it goes out of scope.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

}  // namespace topograd::hdf5
