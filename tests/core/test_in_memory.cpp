#include <doctest/doctest.h>

#include "kernels/core/in_memory.h"

using namespace topograd;

TEST_CASE("in memory: a value has a name of its own while it is held") {
  const auto value = std::make_shared<const int>(3);
  std::string name;
  {
    const InMemory<int> held(value, "three"), again(value, "three");
    name = held.name();
    CHECK(name != again.name());
    CHECK(is_in_memory(name));
    CHECK(name.ends_with("/three"));
    CHECK(*InMemory<int>::find(name) == 3);
    CHECK_THROWS_WITH_AS(InMemory<double>::find(name), (name + " is no longer in memory").c_str(),
                         Error);
  }
  CHECK_THROWS_AS(InMemory<int>::find(name), Error);
  CHECK_FALSE(is_in_memory("model.safetensors"));
}
