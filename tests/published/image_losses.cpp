// Writes the loss of every image of CIFAR-10 at points along a random, filter-normalised direction:
// what simulate_coverage.py draws its samples from.
//   image_losses MODEL.safetensors DATA OUTPUT SEED ALPHA...
// makes OUTPUT_train.f32 and OUTPUT_test.f32, [points, images] f32 in the data set's order, and
// OUTPUT_train.u8 and OUTPUT_test.u8, 1 where the image is classified rightly.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "data/load.h"
#include "kernels/core/numbers.h"
#include "kernels/vector/vector.h"
#include "landscape/directions/direction.h"
#include "models/loaded_model.h"
#include "nn/inference.h"

using namespace topograd;

namespace {

struct ImageLosses {
  std::vector<float> losses;
  std::vector<uint8_t> correct;
};

void append(ImageLosses& all, const LoadedModel& model, const Tensor& theta,
            const LabelledImages& images, ThreadPool& pool) {
  const int64_t count = images.count();
  const Tensor logits({count, model.graph.classes()}), losses({count});
  const Tensor correct({count}, DType::i32);
  evaluate(model.graph, theta, model.weights.running_stats, images, LossKind::cross_entropy, pool,
           logits);
  Context context;
  loss_forward({.losses = losses, .correct = correct, .logits = logits, .labels = images.labels},
               context);
  all.losses.insert(all.losses.end(), losses.data<float>(), losses.data<float>() + count);
  for (int64_t i = 0; i < count; ++i)
    all.correct.push_back(static_cast<uint8_t>(correct.data<int32_t>()[i]));
}

template <class Number>
void write_numbers(const std::string& path, const std::vector<Number>& numbers) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(numbers.data()),
            static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
  out.close();
  require(out.good(), path, " cannot be written: choose another OUTPUT, or make room");
}

void run(int argc, char** argv) {
  require(argc >= 6, "usage: image_losses MODEL.safetensors DATA OUTPUT SEED ALPHA...");
  const LoadedModel model = load_model(argv[1]);
  DataSpec spec;
  spec.source = argv[2];
  const DataSplits data = load_data(spec);
  const Direction direction =
      random_direction(model.graph.layout(), model.weights.theta, model.weights.running_stats,
                       std::strtoull(argv[4], nullptr, 10), 0);
  ThreadPool pool(0);
  for (const auto& [name, split] :
       {std::pair("train", data.train.view()), std::pair("test", data.test.view())}) {
    LabelledImages images = split;
    images.normalisation = model.info.normalisation;
    ImageLosses all;
    for (int i = 5; i < argc; ++i) {
      const Tensor theta = model.weights.theta.clone();
      axpy({.y = theta, .x = direction.parameters, .a = std::strtod(argv[i], nullptr)},
           pool.main_context());
      append(all, model, theta, images, pool);
      std::cout << argv[3] << ": " << name << " images at " << argv[i] << '\n' << std::flush;
    }
    write_numbers(text(argv[3], "_", name, ".f32"), all.losses);
    write_numbers(text(argv[3], "_", name, ".u8"), all.correct);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "image_losses: " << error.what() << '\n';
    return 1;
  }
}
