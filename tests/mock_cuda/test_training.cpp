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
  std::map<std::string, int> kernels;
};

/// What the fourth step of a training costs.
StepCost cost_of_step(const Graph& graph, const LabelledImages& images) {
  ThreadPool pool(1, Device::cuda);
  Trainer trainer(graph, config(), images, pool);
  for (int i = 0; i < 3; ++i) trainer.step();
  mock_cuda::record_launches();
  const mock_cuda::Counts before = mock_cuda::counts();
  trainer.step();
  StepCost cost{mock_cuda::counts() - before, {}};
  for (const mock_cuda::Launch& launch : mock_cuda::recorded_launches())
    ++cost.kernels[mock_cuda::kernel_name(launch.function)];
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
  const StepCost cost = cost_of_step(graph, labelled_images(8, 8, 4, 2));
  std::string kernels;
  for (const auto& [name, count] : cost.kernels) kernels += text(' ', count, ' ', name);
  CAPTURE(kernels);
  // docs/results/launches.md has these numbers. They may fall.
  CHECK(cost.counts.launches <= 1129);
  CHECK(cost.counts.blocking_copies <= 9);
  CHECK(cost.counts.waits <= 9);
}
