#include "nn/network_plan.h"

#include <doctest/doctest.h>

#include <numeric>

#include "models/registry.h"
#include "nn/network.h"

using namespace topograd;

namespace {

int64_t batch_numbers(const Graph& graph) {
  const std::vector<int64_t> buffers = NetworkPlan(graph).batch_buffers();
  return std::accumulate(buffers.begin(), buffers.end(), int64_t{0});
}

bool is_batch(BufferSlot slot) {
  return slot.kind == BufferSlot::Kind::batch;
}

}  // namespace

TEST_CASE("network plan: a chain keeps what its BatchNorms normalise, and the logits") {
  Graph g({8, 8, 3});
  const Value conv1 = g.conv(g.input(), 4);
  const Value norm1 = g.batchnorm(conv1);
  const Value relu1 = g.relu(norm1);
  const Value pool = g.max_pool(relu1, {.kernel = 2, .stride = 2});
  const Value conv2 = g.conv(pool, 6);
  const Value relu2 = g.relu(g.batchnorm(conv2));
  const Value logits = g.linear(relu2, 5);
  g.set_output(logits);
  const NetworkPlan plan(g);
  REQUIRE(plan.phases().size() == 3);
  for (Value kept : {conv1, conv2, logits}) CHECK(is_batch(plan.value(kept.node)));
  for (Value scratch : {norm1, relu1, pool, relu2}) CHECK(!is_batch(plan.value(scratch.node)));
  // The activation writes over the BatchNorm's output; the pool reads both of its own.
  CHECK(plan.value(norm1.node).index == plan.value(relu1.node).index);
  CHECK(plan.value(pool.node).index != plan.value(relu1.node).index);
  for (Value again : {norm1, relu1, pool, relu2}) CHECK(plan.recomputed(again.node));
  for (Value there : {conv1, conv2, logits}) CHECK(!plan.recomputed(there.node));
  // A BatchNorm's own gradient waits for the sums of the batch; its input's does not.
  CHECK(is_batch(plan.gradient(norm1.node)));
  CHECK(!is_batch(plan.gradient(conv1.node)));
  CHECK(batch_numbers(g) == 8 * 8 * 4 + 4 * 4 * 6 + 5 + 8 * 8 * 4 + 4 * 4 * 6);
}

TEST_CASE("network plan: a skip connection's value stays, a sum that is followed by it does not") {
  Graph g({8, 8, 4});
  const Value start = g.relu(g.batchnorm(g.conv(g.input(), 4)));
  const Value norm = g.batchnorm(g.conv(g.relu(g.batchnorm(g.conv(start, 4))), 4));
  const Value sum = g.add(norm, start);
  const Value end = g.relu(sum);
  const Value last = g.relu(g.batchnorm(g.conv(end, 4)));
  g.set_output(g.linear(g.global_average_pool(g.add(last, end)), 3));
  const NetworkPlan plan(g);
  CHECK(is_batch(plan.value(start.node)));
  CHECK(is_batch(plan.value(end.node)));
  // BatchNorm, sum and activation work in one place, and none of them is worked out again.
  CHECK(plan.value(norm.node).index == plan.value(end.node).index);
  CHECK(is_batch(plan.value(sum.node)));
  for (Value v : {norm, sum, end}) CHECK(!plan.recomputed(v.node));
}

TEST_CASE("network plan: a network without BatchNorm is one phase and keeps its logits alone") {
  const Graph g = build_model({.name = "lenet"});
  const NetworkPlan plan(g);
  CHECK(plan.phases().size() == 1);
  CHECK(batch_numbers(g) == 10);
}

TEST_CASE("network plan: the memory of a step") {
  // VGG-9 at the paper's large batch: 12 GiB, where keeping every layer's output would take 20.
  const Graph vgg = build_model({.name = "vgg9"});
  const double gib = static_cast<double>(Network::bytes_needed(vgg, 8192, 2)) / (1 << 30);
  CHECK(gib < 14);
}
