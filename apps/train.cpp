// train: trains a network, or evaluates one.
#include <iostream>

#include "apps/cli.h"
#include "apps/model_file.h"
#include "apps/progress.h"
#include "apps/training_run.h"
#include "nn/inference.h"

using namespace topograd;

namespace {

constexpr const char* kEpilogue = R"(
Examples:
  train --model resnet20 --data cifar10 --epochs 15 --output runs/resnet20
  train --model resnet56_noshort --data cifar10 --epochs 300 --output runs/noshort --resume
  train --evaluate runs/resnet20/model.safetensors --data cifar10

--data is "synthetic" (made on the spot) or a folder: with CIFAR-10's binary version
(apps/download_cifar10.sh fetches it), with CIFAR-100's, with the four files of MNIST or Fashion-MNIST
(train-images-idx3-ubyte, ..., unpacked), or with images as train/<class>/*.png, test/<class>/*.png.
Ctrl-C saves; the same command with --resume continues to the same weights, bit for bit.
)";

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options make_options() {
  cxxopts::Options options("train", "Trains a CIFAR network, or evaluates one.\n");
  options.set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Model")
      ("model", "network, see --list-models", value("resnet20"))
      ("shortcut", "where shapes change: A (zero padding) or B (1x1 convolution)", value("B"))
      ("depth", "another depth: --model resnet --depth 74", string())
      ("width", "another width: channels of a ResNet's stem or of VGG's first layers, k of a wide "
                "ResNet, growth of a DenseNet, units of an MLP", string())
      ("activation", "relu, tanh or gelu", value("relu"))
      ("list-models", "print the networks and stop");
  options.add_options("Data")
      ("data", "synthetic, or a folder", value("synthetic"))
      ("train-images", "use only the first n training images (0: all)", value("0"))
      ("test-images", "use only the first n test images (0: all)", value("0"))
      ("image-size", "synthetic images' side, pixels", value("32"))
      ("no-augment", "no random crops and flips (MNIST's digits are never flipped)")
      ("label-noise", "this fraction of the training labels is replaced by random classes",
       value("0"));
  options.add_options("Training")
      ("epochs", "passes over the training images", value("30"))
      ("batch-size", "images a step", value("128"))
      ("optimizer", "sgd or adam", value("sgd"))
      ("lr", "learning rate (default: 0.1 for sgd, 0.001 for adam)", string())
      ("schedule", "constant, step or cosine", value("step"))
      ("lr-drops", "step: epochs after which the rate falls (default: 1/2, 3/4, 11/12 of the run)",
       string())
      ("lr-factor", "step: what the rate is multiplied by", value("0.1"))
      ("warmup", "epochs of linear warm-up", value("0"))
      ("momentum", "sgd: momentum", value("0.9"))
      ("no-nesterov", "sgd: classical momentum")
      ("weight-decay", "on every parameter", value("0.0005"))
      ("loss", "cross_entropy or mse", value("cross_entropy"))
      ("seed", "decides weights, order, augmentation and label noise", value("1"));
  options.add_options("Run")
      ("output", "folder of the run", value("runs/train"))
      ("resume", "continue the run in --output, or begin it")
      ("checkpoint-every", "keep the weights of every n-th epoch (0: none)", value("0"))
      ("save-seconds", "save within an epoch that often, for --resume", value("60"))
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("impl", "force an implementation, as in conv2d=reference (repeatable)",
       cxxopts::value<std::vector<std::string>>());
  options.add_options("Evaluation")
      ("evaluate", "print loss and error of this checkpoint instead of training", string())
      ("split", "train or test", value("test"))
      ("noisy-labels", "--split train: with the noisy labels that the checkpoint was trained with");
  options.add_options("")("help", "print this")("version", "print the version");
  return options;
}
// clang-format on

RunOptions run_options(const cxxopts::ParseResult& flags, const std::string& command) {
  RunOptions run;
  run.command = command;
  run.folder = flags["output"].as<std::string>();
  run.resume = flags.count("resume") > 0;
  run.checkpoint_every = cli::whole(flags, "checkpoint-every", 0, 1'000'000);
  run.save_seconds = cli::real(flags, "save-seconds", 0, 1e9);
  run.label_noise = cli::real(flags, "label-noise", 0, 1);

  run.model.name = flags["model"].as<std::string>();
  const std::string shortcut = flags["shortcut"].as<std::string>();
  require(shortcut == "A" || shortcut == "B", "--shortcut ", shortcut, ": choose A or B");
  run.model.shortcut = shortcut[0];
  const auto size = [&](const char* flag, int64_t most) {
    return flags.count(flag) ? cli::whole(flags, flag, 1, most) : 0;
  };
  run.model = with_size(run.model, static_cast<int>(size("depth", 2000)), size("width", 4096));
  run.model.activation = activation_named(flags["activation"].as<std::string>());

  TrainingConfig& t = run.training;
  t.epochs = cli::whole(flags, "epochs", 1, 1'000'000);
  t.batch_size = cli::whole(flags, "batch-size", 1, 1 << 20);
  t.optimizer = optimizer_named(flags["optimizer"].as<std::string>());
  t.momentum = cli::real(flags, "momentum", 0, 1);
  t.nesterov = flags.count("no-nesterov") == 0;
  t.weight_decay = cli::real(flags, "weight-decay", 0, 1e6);
  t.augment = flags.count("no-augment") == 0;
  t.loss = cli::loss(flags);
  t.seed = cli::seed(flags);

  Schedule& s = t.schedule;
  s.kind = schedule_named(flags["schedule"].as<std::string>());
  s.base = flags.count("lr") ? cli::real(flags, "lr", 0, 1e6)
                             : (t.optimizer == OptimizerKind::sgd ? 0.1 : 0.001);
  s.epochs = static_cast<double>(t.epochs);
  s.factor = cli::real(flags, "lr-factor", 0, 1);
  s.warmup = cli::real(flags, "warmup", 0, s.epochs);
  s.drops = flags.count("lr-drops") ? cli::numbers("lr-drops", flags["lr-drops"].as<std::string>())
                                    : default_drops(s.epochs);
  return run;
}

DataSpec data_spec(const cxxopts::ParseResult& flags) {
  DataSpec spec;
  spec.source = flags["data"].as<std::string>();
  spec.train_limit = cli::whole(flags, "train-images", 0, 1 << 30);
  spec.test_limit = cli::whole(flags, "test-images", 0, 1 << 30);
  spec.image_size = cli::whole(flags, "image-size", 12, 1024);
  return spec;
}

int list_models() {
  const auto cell = [](const std::string& content, size_t width) {
    return std::string(width - content.size(), ' ') + content;
  };
  std::cout << "name                 parameters  with shortcut A  M multiply-adds\n";
  for (const std::string& name : model_names()) {
    const Graph b = build_model({.name = name, .shortcut = 'B'});
    const Graph a = build_model({.name = name, .shortcut = 'A'});
    const int64_t with_b = b.layout().parameter_count(), with_a = a.layout().parameter_count();
    std::cout << name << cell(text(with_b), 31 - name.size())
              << cell(with_a == with_b ? "" : text(with_a), 17)
              << cell(decimals(static_cast<double>(b.macs()) * 1e-6, 1), 17) << '\n';
  }
  std::cout << "For images of 32x32x3 and 10 classes. Shortcuts are B unless --shortcut A asks "
               "otherwise.\nOther sizes: resnet<6n+2>, wrn<6n+2>_<k>, the original wrn<6n+4>_<k>, "
               "densenetbc<6n+4>_<k>,\nmlp<layers>; ResNets also with _noshort.\n";
  return 0;
}

int evaluate_model(const cxxopts::ParseResult& flags, ThreadPool& pool) {
  const LoadedModel model =
      load_model(flags["evaluate"].as<std::string>(),
                 flags.count("model") ? flags["model"].as<std::string>() : "");
  const std::string split = flags["split"].as<std::string>();
  require(split == "train" || split == "test", "--split ", split, ": choose train or test");
  DataSpec spec = data_spec(flags);
  if (flags.count("image-size") == 0) spec.image_size = model.spec.image_size;
  const DataSplits data = load_data(spec);
  const bool noisy = flags.count("noisy-labels") > 0;
  require(!noisy || split == "train",
          "--noisy-labels: only training labels have noise; add --split "
          "train");
  const Dataset& chosen = split == "train" ? data.train : data.test;
  require_fitting_data(model.spec, chosen, spec.source);
  if (split == "train" && !noisy) note_clean_labels(model, "train");
  LabelledImages images =
      noisy ? noisy_training_data(model, data.train, spec.source).view() : chosen.view();
  images.normalisation = model.info.normalisation;
  const LossKind kind = cli::loss(flags);
  const LossSums sums =
      evaluate(model.graph, model.weights.theta, model.weights.states, images, kind, pool);
  std::cout << describe(model.spec) << ", " << split << ": loss " << decimals(sums.mean(), 6)
            << " (standard error " << decimals(sums.standard_error(), 6) << "), error "
            << decimals(100 - sums.accuracy(), 3) << " % (" << sums.count - sums.correct << " of "
            << sums.count << " wrong)\n";
  return 0;
}

int run(int argc, char** argv) {
  cli::Arguments arguments(argc, argv);
  cxxopts::Options options = make_options();
  const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
  if (flags.count("help")) {
    std::cout << options.help({"Model", "Data", "Training", "Run", "Evaluation", ""}) << kEpilogue;
    return 0;
  }
  if (flags.count("version")) {
    std::cout << "train " << cli::version() << '\n';
    return 0;
  }
  require(flags.unmatched().empty(), "'", flags.unmatched().empty() ? "" : flags.unmatched()[0],
          "' is not a flag; see train --help");
  if (flags.count("list-models")) return list_models();

  ThreadPool pool = cli::pool(flags);
  cli::force_implementations(flags, pool);
  if (flags.count("evaluate")) return evaluate_model(flags, pool);

  cli::catch_interruption();
  RunOptions run = run_options(flags, arguments.command());
  run.model.image_size = cli::whole(flags, "image-size", 12, 1024);
  build_model(run.model);  // a wrong model is refused before the data are read
  const DataSplits data = load_data(data_spec(flags));
  run.model.image_size = data.train.height();
  run.model.channels = data.train.channels();
  run.model.classes = data.train.classes();
  run.training.flip = data.train.flips_keep_class;
  require_fitting_data(run.model, data.test, "the test split");
  return run_training(run, data, pool);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("train", [&] { return run(argc, argv); });
}
