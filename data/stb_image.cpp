// The one place where stb_image's code is compiled.
#include <cstdlib>

#include "data/stb_memory.h"

namespace topograd {

namespace {

thread_local int64_t largest_block = 0;

bool within_bounds(size_t bytes) {
  return static_cast<int64_t>(bytes) <= largest_block;
}

void* zeroed_block(size_t bytes) {
  return within_bounds(bytes) ? std::calloc(1, bytes) : nullptr;
}

/// Only what is compressed in a PNG grows, and is read no further than it was written.
void* grown_block(void* block, size_t bytes) {
  return within_bounds(bytes) ? std::realloc(block, bytes) : nullptr;
}

}  // namespace

StbMemoryScope::StbMemoryScope(int64_t bytes) : before_(largest_block) {
  largest_block = bytes;
}

StbMemoryScope::~StbMemoryScope() {
  largest_block = before_;
}

}  // namespace topograd

#define STBI_MALLOC(size) topograd::zeroed_block(size)
#define STBI_REALLOC(block, size) topograd::grown_block(block, size)
#define STBI_FREE(block) std::free(block)
// Its assertions are of damaged files too, which it goes on to refuse.
#define STBI_ASSERT(condition) (static_cast<void>(condition))
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_FAILURE_USERMSG
#include <stb_image.h>
