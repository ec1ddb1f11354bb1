#include <doctest/doctest.h>

#include <cstring>

#include "kernels/add/add.h"

using namespace topograd;

TEST_CASE("context: an operation's own key beats its family's, whatever came first") {
  Context context;
  CHECK(context.forced_implementation("conv2d_forward").empty());
  context.force_implementation("conv2d", "reference");
  CHECK(context.forced_implementation("conv2d") == "reference");
  CHECK(context.forced_implementation("conv2d_forward") == "reference");
  context.force_implementation("conv2d_forward", "onednn");
  CHECK(context.forced_implementation("conv2d_forward") == "onednn");
  CHECK(context.forced_implementation("conv2d_backward_data") == "reference");
  context.force_implementation("conv2d_backward", "direct");  // a family within the family
  CHECK(context.forced_implementation("conv2d_backward_data") == "direct");
  context.force_implementation("conv2d", "winograd");  // replaces, and stays the weaker key
  CHECK(context.forced_implementation("conv2d_forward") == "onednn");
  CHECK(context.forced_implementation("conv2d_other") == "winograd");
}

TEST_CASE("context: a family is a prefix up to an underscore") {
  Context context;
  context.force_implementation("add", "reference");
  CHECK(context.forced_implementation("add_bias") == "reference");
  CHECK(context.forced_implementation("adds").empty());
  CHECK(context.forced_implementation("ad").empty());
  CHECK(context.forced_implementation("bias_add").empty());
}

TEST_CASE("context: the registry names every implementation with its operation and device") {
  int references = 0;
  for (const ImplementationName& known : OpRegistry::instance().names())
    references += known.op == "add" && known.name == "reference" && known.device == Device::cpu;
  CHECK(references == 1);
  CHECK(names_operation("conv2d", "conv2d_forward"));
  CHECK_FALSE(names_operation("conv2d_forward", "conv2d"));
}

TEST_CASE("context: the workspace grows, is aligned, and is one piece of memory") {
  Context context;
  void* small = context.workspace(0);
  REQUIRE(small != nullptr);
  CHECK(context.workspace(100) == small);  // still fits
  for (int64_t bytes : {1, 63, 65, 5000, 1 << 20, 77}) {
    void* data = context.workspace(bytes);
    CHECK(reinterpret_cast<uintptr_t>(data) % 64 == 0);
    std::memset(data, 1, static_cast<size_t>(bytes));  // the sanitizers watch its bounds
  }
}

TEST_CASE("context: state is made once per type and context") {
  struct Counter {
    int value = 0;
  };
  Context a, b(Device::cpu, 3);
  ++a.state<Counter>().value;
  ++a.state<Counter>().value;
  CHECK(a.state<Counter>().value == 2);
  CHECK(b.state<Counter>().value == 0);
  CHECK(a.worker() == 0);
  CHECK(b.worker() == 3);
  Context moved = std::move(a);
  CHECK(moved.state<Counter>().value == 2);
}

namespace {

struct ToyArgs {
  static constexpr std::string_view kOp = "toy_forward";
};

void run_nothing(const ToyArgs&, Context&) {}

}  // namespace

TEST_CASE("op registry: later implementations come first, the reference last") {
  OpRegistry registry;
  for (const char* name : {"reference", "plain", "special"})
    registry.add<ToyArgs>({name, Device::cpu, supports_all, run_nothing});
  const auto& all = registry.implementations<ToyArgs>();
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "special");
  CHECK(all[1].name == "plain");
  CHECK(all[2].name == "reference");
}

TEST_CASE("op registry: an operation without implementations is refused") {
  CHECK_THROWS_WITH_AS(OpRegistry().implementations<ToyArgs>(),
                       "toy_forward: this build has no implementation", Error);
}

TEST_CASE("op: the first implementation that fits runs, or the forced one where it fits") {
  const Tensor x({3}), exact({3}, DType::f64);
  const AddArgs args{.y = x, .a = x, .b = x};
  const AddArgs exact_args{.y = exact, .a = exact, .b = exact};
  Context context;
  CHECK(choose_implementation(args, context).name == "highway");
  CHECK(choose_implementation(exact_args, context).name == "reference");
  context.force_implementation("add", "reference");
  CHECK(choose_implementation(args, context).name == "reference");
  context.force_implementation("add", "highway");  // which has no f64
  CHECK(choose_implementation(exact_args, context).name == "reference");
  context.force_implementation("add", "of another operation");
  CHECK(choose_implementation(args, context).name == "highway");
  CHECK_THROWS_WITH_AS(
      choose_implementation(exact_args, Context(Device::simt)),  // kernels have no f64
      "add: no implementation on simt for these arguments", Error);
}
