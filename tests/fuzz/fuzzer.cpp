// libFuzzer's entries for the harness TOPOGRAD_HARNESS.
#include "tests/fuzz/harness.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  topograd::fuzz::every_way = false;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  topograd::fuzz::run_harness(topograd::fuzz::TOPOGRAD_HARNESS,
                              {reinterpret_cast<const char*>(data), size});
  return 0;
}
