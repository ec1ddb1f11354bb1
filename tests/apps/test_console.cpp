#include <doctest/doctest.h>

#include <sstream>
#include <thread>

#include "apps/common/console.h"
#include "apps/common/table.h"

using namespace topograd;

namespace {

/// A console that keeps what it is told.
class Kept : public cli::Console {
 public:
  std::ostream& out() override { return printed; }
  void say(const std::string& line) override { said += line + "\n"; }
  std::unique_ptr<Observer> observer(const std::string&, cli::Notes) override {
    return std::make_unique<Observer>();
  }
  bool is_watched() const override { return false; }

  std::ostringstream printed;
  std::string said;
};

}  // namespace

TEST_CASE("console: words of a thread go to its scope's, of others to theirs") {
  Kept outer, inner, other;
  const cli::ConsoleScope scope(outer);
  {
    const cli::ConsoleScope nested(inner);
    print_table({{"a", "b"}});
    cli::say("note: ", 1);
  }
  std::thread thread([&] {
    const cli::ConsoleScope its(other);
    cli::say("elsewhere");
  });
  thread.join();
  cli::out() << "after";
  CHECK(inner.printed.str() == "a  b\n");
  CHECK(inner.said == "note: 1\n");
  CHECK(outer.printed.str() == "after");
  CHECK(outer.said.empty());
  CHECK(other.said == "elsewhere\n");
}
