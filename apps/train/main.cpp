// train: trains a network, or evaluates one.
#include <iostream>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/common/progress.h"
#include "apps/train/recipes.h"
#include "apps/train/training_run.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "nn/inference.h"

using namespace topograd;

namespace {

constexpr const char* kEpilogue = R"(
Examples:
  train --model resnet20 --data cifar10 --epochs 15 --output runs/resnet20
  train --model resnet56_noshort --data cifar10 --epochs 300 --output runs/noshort --resume
  train --recipe vgg9-large-batch --data cifar10 --seed 2 --output runs/vgg9
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
      ("recipe", "settings of a published experiment, see --list-recipes; other flags override them",
       string())
      ("list-recipes", "print the recipes and stop")
      ("epochs", "passes over the training images", value("30"))
      ("batch-size", "images a step", value("128"))
      ("optimizer", "sgd, adam or adamw", value("sgd"))
      ("lr", "learning rate (default: 0.1 for sgd, 0.001 for adam and adamw)", string())
      ("schedule", "constant, step, cosine, polynomial or one_cycle", value("step"))
      ("lr-drops", "step: epochs after which the rate falls (default: 1/2, 3/4, 11/12 of the run)",
       string())
      ("lr-factor", "step: what the rate is multiplied by", value("0.1"))
      ("lr-power", "polynomial: the exponent; 1 falls linearly", value("1"))
      ("pct-start", "one_cycle: the share of the run in which the rate rises to --lr", value("0.3"))
      ("div-factor", "one_cycle: it begins at --lr divided by this", value("25"))
      ("final-div-factor", "one_cycle: it ends at its beginning divided by this", value("10000"))
      ("warmup", "epochs of linear warm-up", value("0"))
      ("momentum", "sgd: momentum", value("0.9"))
      ("no-nesterov", "sgd: classical momentum")
      ("beta1", "adam, adamw: decay of the gradient's mean", value("0.9"))
      ("beta2", "adam, adamw: decay of its square's mean", value("0.999"))
      ("epsilon", "adam, adamw: added to the root of that", value("1e-8"))
      ("weight-decay", "as part of the gradient; adamw: apart from it", value("0.0005"))
      ("decay-scope", "what decays: all, or weights without biases and BatchNorm's parameters",
       value("all"))
      ("loss", "cross_entropy or mse", value("cross_entropy"))
      ("label-smoothing", "cross_entropy: share of a label that goes to all classes alike; training's "
                          "loss alone", value("0"))
      ("init", "initial weights: kaiming_fan_in, kaiming_fan_out, xavier or pytorch",
       value("kaiming_fan_in"))
      ("ema", "keep a moving average of the weights with this decay, as in 0.999: ema.safetensors",
       string())
      ("swa-start", "average the weights at the ends of epochs, from this one on: swa.safetensors",
       string())
      ("precision", "of the operands of convolutions and linear layers: f32, tf32, bf16x3 or bf16, which need "
                    "--device cuda or simt; weights, sums and all else stay f32", value("f32"))
      ("seed", "decides weights, order, augmentation and label noise", value("1"));
  options.add_options("Run")
      ("output", "folder of the run", value("runs/train"))
      ("resume", "continue the run in --output, or begin it")
      ("checkpoint-every", "keep the weights of every n-th epoch, and those before the first (0: none); "
                           "landscape trajectory takes them", value("0"))
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

/// Refuses flags that were typed and would do nothing with this optimizer, schedule or loss.
void refuse_idle_flags(const cxxopts::ParseResult& typed, const TrainingConfig& t) {
  const auto only_for = [&](const char* owners, bool chosen, const std::string& choice,
                            std::initializer_list<const char*> flags) {
    for (const char* flag : flags)
      require(chosen || typed.count(flag) == 0, "--", flag, " does nothing with --", choice,
              ": it is for ", owners);
  };
  const bool sgd = t.optimizer == OptimizerKind::sgd;
  const std::string optimizer = "optimizer " + name_of(t.optimizer);
  only_for("sgd", sgd, optimizer, {"momentum", "no-nesterov"});
  only_for("adam and adamw", !sgd, optimizer, {"beta1", "beta2", "epsilon"});
  const ScheduleKind kind = t.schedule.kind;
  const std::string schedule = "schedule " + name_of(kind);
  only_for("step", kind == ScheduleKind::step, schedule, {"lr-drops", "lr-factor"});
  only_for("polynomial", kind == ScheduleKind::polynomial, schedule, {"lr-power"});
  only_for("one_cycle", kind == ScheduleKind::one_cycle, schedule,
           {"pct-start", "div-factor", "final-div-factor"});
  only_for("cross_entropy", t.loss == LossKind::cross_entropy, text("loss ", name_of(t.loss)),
           {"label-smoothing"});
}

Schedule schedule(const cxxopts::ParseResult& flags, const TrainingConfig& t) {
  Schedule s;
  s.kind = schedule_named(flags["schedule"].as<std::string>());
  s.base = flags.count("lr") ? cli::real(flags, "lr", 0, 1e6)
                             : (t.optimizer == OptimizerKind::sgd ? 0.1 : 0.001);
  s.epochs = static_cast<double>(t.epochs);
  s.factor = cli::real(flags, "lr-factor", 0, 1);
  s.power = cli::real(flags, "lr-power", 0, 100);
  s.pct_start = cli::real(flags, "pct-start", 0, 1);
  s.div_factor = cli::real(flags, "div-factor", 1, 1e9);
  s.final_div_factor = cli::real(flags, "final-div-factor", 1, 1e9);
  s.warmup = cli::real(flags, "warmup", 0, s.epochs);
  s.drops = flags.count("lr-drops") ? cli::numbers("lr-drops", flags["lr-drops"].as<std::string>())
                                    : default_drops(s.epochs);
  return s;
}

/// A number in [0, 1).
double fraction(const cxxopts::ParseResult& flags, const std::string& option) {
  const double value = cli::real(flags, option, 0, 1);
  require(value < 1, "--", option, " 1 is out of range: it must be less than 1");
  return value;
}

TrainingConfig training_config(const cxxopts::ParseResult& flags) {
  TrainingConfig t;
  t.epochs = cli::whole(flags, "epochs", 1, 1'000'000);
  t.batch_size = cli::whole(flags, "batch-size", 1, 1 << 20);
  t.optimizer = optimizer_named(flags["optimizer"].as<std::string>());
  t.schedule = schedule(flags, t);
  t.momentum = cli::real(flags, "momentum", 0, 1);
  t.nesterov = flags.count("no-nesterov") == 0;
  require(t.optimizer != OptimizerKind::sgd || t.momentum > 0 || !t.nesterov,
          "--momentum 0 leaves nothing to Nesterov's step: add --no-nesterov");
  t.beta1 = fraction(flags, "beta1");
  t.beta2 = fraction(flags, "beta2");
  t.epsilon = cli::real(flags, "epsilon", 0, 1e6);
  t.weight_decay = cli::real(flags, "weight-decay", 0, 1e6);
  t.decay_scope = decay_scope_named(flags["decay-scope"].as<std::string>());
  t.augment = flags.count("no-augment") == 0;
  t.loss = cli::loss(flags);
  t.label_smoothing = fraction(flags, "label-smoothing");
  t.precision = precision_named(flags["precision"].as<std::string>());
  t.initialisation = initialisation_named(flags["init"].as<std::string>());
  t.seed = cli::seed(flags);
  if (flags.count("ema")) {
    t.ema_decay = fraction(flags, "ema");
    require(t.ema_decay > 0,
            "--ema 0 would be the weights themselves: choose a decay such as 0.999");
  }
  if (flags.count("swa-start")) t.swa_start = cli::whole(flags, "swa-start", 1, t.epochs);
  return t;
}

/// The flags as typed, behind those of --recipe: the last one counts.
cxxopts::ParseResult with_recipe(cxxopts::Options& options, cli::Arguments& arguments,
                                 const cxxopts::ParseResult& typed) {
  if (typed.count("recipe") == 0) return typed;
  const Recipe& recipe = recipe_named(typed["recipe"].as<std::string>());
  std::vector<std::string> words;
  for (const auto& [flag, setting] : recipe.flags) words.push_back(text("--", flag, '=', setting));
  std::vector<const char*> argv{arguments.argv()[0]};
  for (const std::string& word : words) argv.push_back(word.c_str());
  for (int i = 1; i < arguments.argc(); ++i) argv.push_back(arguments.argv()[i]);
  return options.parse(static_cast<int>(argv.size()), argv.data());
}

/// `typed` is what stands in the command, `flags` has the recipe's settings, too.
RunOptions run_options(const cxxopts::ParseResult& flags, const cxxopts::ParseResult& typed,
                       const std::string& command) {
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

  run.training = training_config(flags);
  refuse_idle_flags(typed, run.training);
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

int list_recipes() {
  for (const Recipe& recipe : recipes()) {
    std::cout << recipe.name << ": " << recipe.about << "\n   ";
    for (const auto& [flag, setting] : recipe.flags) std::cout << " --" << flag << ' ' << setting;
    std::cout << '\n';
  }
  std::cout << "What a recipe does not name has its default, and any other flag of the command "
               "overrides it.\n";
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
      evaluate(model.graph, model.weights.theta, model.weights.running_stats, images, kind, pool);
  std::cout << describe(model.spec) << ", " << split << ": loss " << decimals(sums.mean(), 6)
            << " (standard error " << decimals(sums.standard_error(), 6) << "), error "
            << decimals(100 - sums.accuracy(), 3) << " % (" << sums.count - sums.correct << " of "
            << sums.count << " wrong)\n";
  return 0;
}

int run(int argc, char** argv) {
  cli::Arguments arguments(argc, argv);
  cxxopts::Options options = make_options();
  const cxxopts::ParseResult typed = options.parse(arguments.argc(), arguments.argv());
  if (typed.count("help")) {
    std::cout << options.help({"Model", "Data", "Training", "Run", "Evaluation", ""}) << kEpilogue;
    return 0;
  }
  if (typed.count("version")) {
    std::cout << "train " << version() << '\n';
    return 0;
  }
  require(typed.unmatched().empty(), "'", typed.unmatched().empty() ? "" : typed.unmatched()[0],
          "' is not a flag; see train --help");
  if (typed.count("list-models")) return list_models();
  if (typed.count("list-recipes")) return list_recipes();

  ThreadPool pool = cli::pool(typed);
  cli::force_implementations(typed, pool);
  if (typed.count("evaluate")) return evaluate_model(typed, pool);

  cli::catch_interruption();
  const cxxopts::ParseResult flags = with_recipe(options, arguments, typed);
  RunOptions run = run_options(flags, typed, arguments.command());
  require(run.training.precision == Precision::f32 || pool.device() != Device::cpu, "--precision ",
          name_of(run.training.precision),
          " is for GPUs' tensor cores: choose --device cuda or simt, or --precision f32");
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
