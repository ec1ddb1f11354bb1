// Computing without the interpreter's lock.
#pragma once

#include <Python.h>
#include <unistd.h>

namespace topograd::python {

/// Returns whether the interpreter is ending: whoever then asks for its lock is ended with its thread.
inline bool interpreter_ends() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

/// Scope without the interpreter's lock, in a thread that has it. At its end the thread takes the lock
/// again; in a daemon's thread of an interpreter that is ending it waits for the end of the process
/// instead, as a thread that is ended within C++ would take the process with it.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  ~Unlocked() {
    while (interpreter_ends()) ::pause();
    PyEval_RestoreThread(state_);
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace topograd::python
