#include "apps/bench/curvature.h"

#include <iostream>

#include "apps/bench/report.h"
#include "landscape/curvature/curvature_operator.h"
#include "landscape/directions/direction.h"
#include "models/registry.h"
#include "nn/initialisation.h"

namespace topograd {

namespace {

constexpr const char* kHelp = R"(
Each round times every competitor once, in turn, so that a busy moment hits all of them alike. A
round's figure is the median of its products with the Hessian of the mean loss; images a second are
those of a batch over the seconds of one product.
PyTorch's products are gradients of the gradient's product with v (autograd, create_graph), in both
memory layouts, with the allocator settings that suit it. Neither side keeps anything of the point
from one product to the next.
)";

/// A batch's Hessian at random weights.
class HessianProduct {
 public:
  HessianProduct(const std::string& model, int64_t batch, BatchnormMode mode, ThreadPool& pool)
      : graph_(build_model({.name = model, .shortcut = 'A'})),
        images_(random_images(batch, graph_)),
        theta_({graph_.layout().parameter_count()}),
        states_({graph_.layout().state_count()}) {
    initialise(graph_.layout(), 1, theta_, states_);
    const Direction direction = random_direction(graph_.layout(), theta_, states_, 1, 0);
    v_ = direction.parameters.to(pool.device());
    product_ = Tensor(v_.shape(), DType::f32, pool.device());
    hessian_.emplace(CurvatureSpec{.graph = graph_,
                                   .theta = theta_,
                                   .running_stats = states_,
                                   .images = images_,
                                   .mode = mode,
                                   .batch = batch},
                     pool);
  }

  /// Median seconds of a product.
  double run(int steps) {
    hessian_->multiply(product_, v_);
    std::vector<double> seconds;
    for (int i = 0; i < steps; ++i)
      seconds.push_back(seconds_of([&] { hessian_->multiply(product_, v_); }));
    return median(seconds);
  }

 private:
  Graph graph_;
  LabelledImages images_;
  Tensor theta_, states_, v_, product_;
  std::optional<CurvatureOperator> hessian_;
};

int bench(const cxxopts::ParseResult& flags) {
  const int64_t batch = cli::whole(flags, "batch-size", 2, 65536);
  const int rounds = static_cast<int>(cli::whole(flags, "rounds", 1, 1000));
  const int steps = static_cast<int>(cli::whole(flags, "steps", 1, 1000));
  const std::string bn = flags["bn"].as<std::string>();
  require(bn == "frozen" || bn == "batch", "--bn ", bn, ": choose frozen or batch");
  ThreadPool pool = cli::pool(flags);
  TorchBench torch(flags);
  std::vector<BenchRow> rows;
  for (const std::string& model : cli::words(flags["models"].as<std::string>())) {
    HessianProduct ours(model, batch, bn == "batch" ? BatchnormMode::batch : BatchnormMode::frozen,
                        pool);
    const std::vector<BenchRow> of_model = bench_rounds(model, rounds, [&] {
      BenchFigures figures =
          torch.run(text("curvature --model ", model, " --batch ", batch, " --bn ", bn, " --steps ",
                         steps, " --threads ", pool.threads()));
      figures["topograd"] = {static_cast<double>(batch) / ours.run(steps), 0};
      return figures;
    });
    rows.insert(rows.end(), of_model.begin(), of_model.end());
  }
  std::cout << "Product with the Hessian, BatchNorm " << bn << ", batch " << batch << ", "
            << pool.threads() << " threads; images a second over " << rounds << " rounds of "
            << steps << " products\n";
  print_table(rows);
  print_ratios(rows, "topograd", "torch", "PyTorch's faster layout");
  write_json_if_asked(flags, rows);
  return 0;
}

}  // namespace

int run_bench_curvature(cli::Arguments& arguments) {
  cxxopts::Options options("bench curvature",
                           "Times products with the Hessian, with PyTorch in the same run.\n");
  const auto value = [](const std::string& fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  // A line per flag, which clang-format would run together.
  // clang-format off
  options.add_options()
      ("models", "comma-separated names", value("resnet20,resnet56"))
      ("batch-size", "images", value("128"))
      ("bn", "BatchNorm: frozen, the running statistics; batch, the batch's own", value("frozen"))
      ("rounds", "rounds", value("5"))
      ("steps", "timed products a round", value("5"))
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"));
  // clang-format on
  add_report_options(options);
  return run_bench(options, kHelp, arguments, bench);
}

}  // namespace topograd
