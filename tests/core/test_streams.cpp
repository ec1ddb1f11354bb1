#include "kernels/core/streams.h"

#include <doctest/doctest.h>

#include <new>
#include <streambuf>
#include <string>

#include "kernels/core/check.h"

using namespace topograd;

namespace {

/// A place to write to and to read from, which has no memory.
class NoMemory : public std::streambuf {
  int_type overflow(int_type) override { throw std::bad_alloc(); }
  int_type underflow() override { throw std::bad_alloc(); }
};

/// A value that cannot be printed.
struct Unprintable {
  friend std::ostream& operator<<(std::ostream& out, Unprintable) {
    NoMemory none;
    std::streambuf* before = out.rdbuf(&none);
    try {
      out << 1;
    } catch (...) {
      out.rdbuf(before);
      throw;
    }
    out.rdbuf(before);
    return out;
  }
};

}  // namespace

TEST_CASE("streams: a text that does not fit into memory is an exception, and no shorter text") {
  CHECK_THROWS_AS(text("before", Unprintable(), "behind"), std::bad_alloc);
  CHECK(text("before", 1, "behind") == "before1behind");
}

TEST_CASE("streams: a line that does not fit into memory is an exception, and not the end") {
  NoMemory none;
  TextReader in("a\nb");
  std::string line;
  CHECK(std::getline(in, line));
  static_cast<std::istream&>(in).rdbuf(&none);
  CHECK_THROWS_AS(std::getline(in, line), std::bad_alloc);
}

TEST_CASE("streams: the end is no failure") {
  TextReader in("a");
  std::string line;
  CHECK(std::getline(in, line));
  CHECK(!std::getline(in, line));
  CHECK_FALSE(FileReader("/nowhere/at/all").is_open());
}
