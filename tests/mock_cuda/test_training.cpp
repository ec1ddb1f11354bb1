// Training on the device cuda, its whole host path: numbers, allocations, copies, launches.
#include <map>

#include "models/registry.h"
#include "tests/mock_cuda/mock_cuda.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

TrainingConfig config() {
  TrainingConfig config;
  config.epochs = 100;
  config.batch_size = 4;
  config.schedule = {.kind = ScheduleKind::cosine, .base = 0.02, .epochs = 100};
  return config;
}

struct StepCost {
  mock_cuda::Counts counts;
  std::string kernels;  // and how many of each
};

/// What a step of a training costs, after some.
StepCost cost_of_step(const Graph& graph, const LabelledImages& images, int after) {
  ThreadPool pool(1, Device::cuda);
  Trainer trainer(graph, config(), images, pool);
  for (int i = 0; i < after; ++i) trainer.step();
  mock_cuda::record_launches();
  const mock_cuda::Counts before = mock_cuda::counts();
  trainer.step();
  StepCost cost{mock_cuda::counts() - before, {}};
  std::map<std::string, int> kernels;
  for (const mock_cuda::Launch& launch : mock_cuda::recorded_launches())
    ++kernels[mock_cuda::kernel_name(launch.function)];
  for (const auto& [name, count] : kernels) cost.kernels += text(' ', count, ' ', name);
  return cost;
}

}  // namespace

TEST_CASE("cuda without a GPU: 100 steps allocate nothing after the first, and land on the CPU's") {
  const Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  const LabelledImages images = labelled_images(8, 8, 4, 2);
  ThreadPool cuda(1, Device::cuda), cpu(1);
  Trainer trainer(graph, config(), images, cuda), expected(graph, config(), images, cpu);
  trainer.step();
  expected.step();
  const mock_cuda::Counts before = mock_cuda::counts();
  for (int i = 1; i < 4; ++i) {
    trainer.step();
    expected.step();
  }
  const Tensor theta = trainer.state().theta.to(Device::cpu);
  double off = 0, size = 0;
  for (int64_t i = 0; i < theta.size(); ++i) {
    const double wanted = expected.state().theta.data<float>()[i];
    off += std::pow(theta.data<float>()[i] - wanted, 2);
    size += wanted * wanted;
  }
  CHECK(std::sqrt(off / size) < 1e-5);
  for (int i = 4; i < 100; ++i) trainer.step();
  CHECK((mock_cuda::counts() - before).allocations == 0);
}

TEST_CASE("cuda without a GPU: launches and blocking copies of a training step") {
  const Graph graph = build_model({.name = "resnet56", .width = 1, .classes = 4, .image_size = 8});
  const LabelledImages images = labelled_images(8, 8, 4, 2);
  // docs/results/launches.md has these numbers. They may fall.
  const StepCost first = cost_of_step(graph, images, 0);
  CAPTURE(first.kernels);
  CHECK(first.counts.launches <= 845);
  CHECK(first.counts.graph_launches == 0);
  const StepCost steady = cost_of_step(graph, images, 3);
  CAPTURE(steady.kernels);
  CHECK(steady.counts.launches <= 6);
  CHECK(steady.counts.graph_launches == 1);
  CHECK(mock_cuda::nodes_of_last_graph() <= 839);
  CHECK(steady.counts.blocking_copies <= 3);
  CHECK(steady.counts.waits <= 3);
}

TEST_CASE("cuda without a GPU: a step that is recorded is the step that is not") {
  // Nine images in batches of four: every third step is not recorded. Dropout never is.
  const LabelledImages images = labelled_images(9, 8, 4, 2);
  Graph with_dropout({8, 8, 3});
  Value x = with_dropout.dropout(with_dropout.conv(with_dropout.input(), 6), {.probability = 0.3});
  x = with_dropout.relu(with_dropout.batchnorm(x));
  with_dropout.set_output(with_dropout.linear(with_dropout.global_average_pool(x), 4));
  const Graph resnet = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  for (const Graph* graph : {&resnet, static_cast<const Graph*>(&with_dropout)}) {
    ThreadPool cuda(1, Device::cuda);
    Trainer going_on(*graph, config(), images, cuda);
    for (int i = 0; i < 8; ++i) {
      Trainer fresh(*graph, config(), images, cuda);  // its one step is not recorded
      fresh.restore(going_on.state());
      fresh.step();
      going_on.step();
      CHECK(same_bits(going_on.state().theta.to(Device::cpu), fresh.state().theta.to(Device::cpu)));
      CHECK(going_on.state().epoch_sums.loss == fresh.state().epoch_sums.loss);
    }
  }
}

TEST_CASE("cuda without a GPU: steps of networks without BatchNorm, with pools, can be recorded") {
  for (const ModelSpec& spec : {ModelSpec{.name = "lenet", .classes = 4},
                                ModelSpec{.name = "mlp", .width = 8, .classes = 4},
                                ModelSpec{.name = "vgg9", .width = 2, .classes = 4}}) {
    CAPTURE(spec.name);
    const Graph graph = build_model(spec);
    const LabelledImages images = labelled_images(4, 32, 4, 2);
    ThreadPool cuda(1, Device::cuda);
    Trainer trainer(graph, config(), images, cuda);
    for (int i = 0; i < 3; ++i) trainer.step();
    CHECK(std::isfinite(trainer.state().epoch_sums.loss));
  }
}
