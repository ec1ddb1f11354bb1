// Streams that let a failure through. The standard library's note it in themselves, where nobody
// looks: when there is no memory, a text would end in the middle, and be written so.
#pragma once

#include <fstream>
#include <ios>
#include <sstream>
#include <utility>

namespace topograd {

/// A stream whose failing reads, writes and allocations throw; the end of what there is does not.
template <class Stream>
class Throwing : public Stream {
 public:
  template <class... Arguments>
  explicit Throwing(Arguments&&... arguments) : Stream(std::forward<Arguments>(arguments)...) {
    this->exceptions(std::ios::badbit);
  }
};

using TextWriter = Throwing<std::ostringstream>;
using TextReader = Throwing<std::istringstream>;
using FileReader = Throwing<std::ifstream>;

}  // namespace topograd
