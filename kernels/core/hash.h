// Content hashes: which data, which weights, which direction a file was made from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace topograd {

/// Returns XXH64 (Y. Collet, https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md) of `bytes`
/// bytes, the same on every machine. Fast and well mixed, not cryptographic: it tells files apart,
/// it does not protect them. `data` may be null where `bytes` is 0.
uint64_t content_hash(const void* data, size_t bytes, uint64_t seed = 0);

/// Formats a hash as sixteen lower-case hexadecimal digits.
std::string hex(uint64_t value);

}  // namespace topograd
