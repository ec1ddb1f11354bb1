#include "landscape/results/hdf5_lock.h"

#include <hdf5.h>
#include <pthread.h>

#include <mutex>

namespace topograd::hdf5 {

namespace {

std::mutex hdf5_mutex;

/// Scopes that this thread is in. A std::recursive_mutex would remember a thread that is not the
/// child's of a fork.
thread_local int hdf5_scopes = 0;

/// Registers what fork() does with the lock, once.
void prepare_for_forks() {
  [[maybe_unused]] static const int registered = ::pthread_atfork(
      [] { hdf5_mutex.lock(); }, [] { hdf5_mutex.unlock(); }, [] { hdf5_mutex.unlock(); });
}

}  // namespace

Lock::Lock() {
  prepare_for_forks();
  if (hdf5_scopes++ > 0) return;
  hdf5_mutex.lock();
  // HDF5 prints errors for each thread in builds for several; here exceptions tell them.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Lock::~Lock() {
  if (--hdf5_scopes == 0) hdf5_mutex.unlock();
}

}  // namespace topograd::hdf5
