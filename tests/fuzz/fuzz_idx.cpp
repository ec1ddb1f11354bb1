#include "data/idx.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

/// The bytes are two files behind one another: two bytes say how long the first is, the images.
void idx(std::string_view bytes) {
  Source source(bytes);
  const size_t low = source.byte(), high = source.byte();
  const std::string_view images = source.bytes(high << 8 | low), labels = source.rest();
  for (const char* split : {"train", "t10k"}) {
    file_of(std::string(split) + "-images-idx3-ubyte", images);
    file_of(std::string(split) + "-labels-idx1-ubyte", labels);
  }
  load_idx(folder() + "/");
}

}  // namespace topograd::fuzz
