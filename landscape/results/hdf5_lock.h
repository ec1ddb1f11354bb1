// The lock of the HDF5 library.
#pragma once

namespace topograd::hdf5 {

/// Scope in which this thread may call HDF5, and no other thread of the process does: some builds of
/// the library take one thread alone. In it HDF5 prints no errors.
///
/// It lasts as long as one call of Hdf5File, not as long as an open file, so that a thread with an
/// open file may wait for another thread that saves one. Scopes may be nested. fork() waits for the
/// calls of other threads, so that its child finds the library whole and may use it.
///
/// Other libraries of the process that call HDF5 (h5py) know nothing of it: where they share this
/// library and it is not built for several threads, they must be kept from it by hand.
class Lock {
 public:
  Lock();
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

}  // namespace topograd::hdf5
