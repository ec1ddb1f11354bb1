#include "landscape/kinds/result_kind.h"
#include "tests/fuzz/drawn.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void result(std::string_view bytes) {
  draw_and_write(load_record(file_of("result.h5", bytes)), bytes);
}

}  // namespace topograd::fuzz
