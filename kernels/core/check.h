// Errors: one line that says what was wrong and what to do about it.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/core/streams.h"

namespace topograd {

/// Exception that reports every failure of this project; what() is one line, fit for stderr.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Returns the arguments printed one after the other.
template <class... Parts>
std::string text(const Parts&... parts) {
  TextWriter out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(text(parts...));
}

/// Throws Error(message) unless `condition` holds. Write conditions so that NaN fails them.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) fail(parts...);
}

}  // namespace topograd
