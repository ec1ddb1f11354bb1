#include "apps/train/train_flags.h"

#include "apps/common/cli.h"
#include "apps/common/normalisation_flags.h"
#include "apps/common/run_plan.h"
#include "apps/train/recipes.h"
#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr const char* kEpilogue = R"(
Examples:
  train --model resnet20 --data cifar10 --epochs 15 --output runs/resnet20
  train --model resnet56_noshort --data cifar10 --epochs 300 --output runs/noshort --resume
  train --recipe vgg9-large-batch --data cifar10 --seed 2 --output runs/vgg9
  train --from runs/resnet20/model.safetensors --data cifar10 --lr 0.01 --epochs 5 --output runs/more
  train --evaluate runs/resnet20/model.safetensors --data cifar10

--data is "synthetic" (made on the spot) or a folder: with CIFAR-10's binary version
(apps/download_cifar10.sh fetches it), with CIFAR-100's, with the four files of MNIST or Fashion-MNIST
(train-images-idx3-ubyte, ..., unpacked), with x_train.npy, y_train.npy, x_test.npy, y_test.npy, or with images
as train/<class>/*.png, test/<class>/*.png; or a file of numpy's, FILE.npz, with arrays of those names.
Ctrl-C saves; the same command with --resume continues to the same weights, bit for bit. With more
--epochs it extends the run: the learning rate goes on as in a run of so many from the start.
)";

/// Throws Error for a typed option that has no effect with this optimizer, schedule or loss.
void refuse_idle_options(const cli::Options& options, const TrainingConfig& t) {
  const auto only_for = [&](const char* owners, bool chosen, const std::string& choice,
                            std::initializer_list<const char*> names) {
    for (const char* name : names)
      require(chosen || !options.given(name), "--", name, " does nothing with --", choice,
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
  only_for("cross_entropy", t.loss.kind == LossKind::cross_entropy,
           text("loss ", name_of(t.loss.kind)), {"label-smoothing"});
}

void require_below_1(const char* option, double value) {
  require(value < 1, "--", option, " 1 is out of range: it must be less than 1");
}

}  // namespace

void TrainFlags::add_to(cli::Options& options) {
  options.about("Trains a network, or evaluates one.");
  add_model_options(options);
  add_data_options(options);
  add_training_options(options);
  add_schedule_options(options);
  add_run_options(options);
  options.group("Evaluation")
      .file("evaluate", evaluate, "print loss and error of this checkpoint instead of training")
      .file(
          "compare", compare,
          "--evaluate: compute the logits of this file's images, and say how far they are from the "
          "file's (what apps/export_torch.py does)")
      .choice("split", on_training_images, {{"train", true}, {"test", false}}, "of the images")
      .flag("noisy-labels", noisy_labels,
            "--split train: with the noisy labels that the checkpoint was trained with");
  options.group("Help").flag("version", show_version, "print the version").epilogue(kEpilogue);
}

void TrainFlags::add_model_options(cli::Options& options) {
  options.group("Model")
      .text("model", run.model.name, "NAME|FILE",
            "network, see --list-models; or a file that describes one: a graph (.json, "
            "docs/own-network.md), or a checkpoint, without its weights")
      .choice("shortcut", run.model.shortcut, {{"A", 'A'}, {"B", 'B'}},
              "where shapes change: A (zero padding) or B (1x1 convolution)")
      .integer("depth", depth_, {1, 2000}, "another depth: --model resnet --depth 74")
      .shown_default("")
      .integer("width", run.model.width, {1, 4096},
               "another width: channels of a ResNet's stem or of VGG's first layers, k of a wide "
               "ResNet, growth of a DenseNet, units of an MLP")
      .shown_default("")
      .named("activation", run.model.activation, activation_named, activation_names(), "relu",
             "after every layer but the last")
      .file(
          "from", from,
          "begin with this checkpoint's network, weights, BatchNorm statistics and normalisation, "
          "not with random weights")
      .flag("list-models", list_models, "print the networks and stop")
      .flag("print-model", print_model, "print the graph of --model as a file has it, and stop");
}

void TrainFlags::add_data_options(cli::Options& options) {
  options.group("Data")
      .folder("data", data.source,
              "synthetic, or a folder (default with --evaluate and --from: what that network was "
              "trained on)")
      .integer("train-images", data.train_limit, {0, 1 << 30},
               "use only the first n training images (0: all)")
      .integer("test-images", data.test_limit, {0, 1 << 30},
               "use only the first n test images (0: all)")
      .integer("image-size", data.image_size, {12, 1024}, "synthetic images' side, pixels")
      .flag("no-augment", no_augment_,
            "no random crops and flips (MNIST's digits are never flipped)")
      .real("label-noise", run.label_noise, {0, 1},
            "this fraction of the training labels is replaced by random classes");
  cli::add_normalisation_options(options, normalisation,
                                 "the data set's, see docs/files.md; --evaluate: the checkpoint's");
}

void TrainFlags::add_training_options(cli::Options& options) {
  TrainingConfig& t = run.training;
  options.group("Training")
      .text("recipe", recipe_, "NAME",
            "settings of a published experiment, see --list-recipes; other options override them")
      .presets([](const std::string& name) { return recipe_named(name).flags; })
      .flag("list-recipes", list_recipes, "print the recipes and stop")
      .integer("epochs", t.epochs, {1, 1'000'000}, "passes over the training images")
      .integer("batch-size", t.batch_size, {1, 1 << 20}, "images a step")
      .named("optimizer", t.optimizer, optimizer_named, {"sgd", "adam", "adamw"}, "sgd",
             "what makes steps of gradients")
      .real("momentum", t.momentum, {0, 1}, "sgd: momentum")
      .flag("no-nesterov", no_nesterov_, "sgd: classical momentum")
      .real("beta1", t.beta1, {0, 1}, "adam, adamw: decay of the gradient's mean")
      .real("beta2", t.beta2, {0, 1}, "adam, adamw: decay of its square's mean")
      .real("epsilon", t.epsilon, {0, 1e6}, "adam, adamw: added to the root of that")
      .real("weight-decay", t.weight_decay, {0, 1e6},
            "as part of the gradient; adamw: apart from it")
      .named("decay-scope", t.decay_scope, decay_scope_named, {"all", "weights"}, "all",
             "what decays: all, or weights without biases and BatchNorm's parameters")
      .named(
          "loss", loss, loss_named, loss_names(), "cross_entropy",
          "what is minimised (mse: of the softmax); a constant after a colon, as in huber:0.5 or "
          "focal:2")
      .real("label-smoothing", label_smoothing_, {0, 1},
            "cross_entropy: share of a label that goes to all classes alike; training's loss alone")
      .text(
          "class-weights", class_weights, "W,...",
          "weights of the classes in the loss, in their order, or balanced: number of images over "
          "classes times images of the class")
      .named("init", t.initialisation, initialisation_named,
             {"kaiming_fan_in", "kaiming_fan_out", "xavier", "pytorch"}, "kaiming_fan_in",
             "initial weights")
      .exclude("from", "init", "both say what the weights begin as: leave out one of them")
      .exclude("from", "evaluate", "contradict each other: leave out one of them")
      .real("ema", ema_, {0, 1},
            "keep a moving average of the weights with this decay, as in 0.999: ema.safetensors")
      .integer("swa-start", swa_start_, {1, 1'000'000},
               "average the weights at the ends of epochs, from this one on: swa.safetensors")
      .named("precision", t.precision, precision_named, {"f32", "tf32", "bf16x3", "bf16"}, "f32",
             "of the operands of convolutions and linear layers; all but f32 need --device cuda or "
             "simt; weights, sums and all else stay f32")
      .seed("seed", t.seed, "decides weights, order, augmentation and label noise");
}

void TrainFlags::add_schedule_options(cli::Options& options) {
  Schedule& s = run.training.schedule;
  options.group("Learning rate")
      .real("lr", rate_, {0, 1e6}, "learning rate (default: 0.1 for sgd, 0.001 for adam and adamw)")
      .named("schedule", s.kind, schedule_named,
             {"constant", "step", "cosine", "polynomial", "one_cycle"}, "step", "its course")
      .reals("lr-drops", drops_, "EPOCH,...",
             "step: epochs after which the rate falls (default: 1/2, 3/4, 11/12 of the run)")
      .real("lr-factor", s.factor, {0, 1}, "step: what the rate is multiplied by")
      .real("lr-power", s.power, {0, 100}, "polynomial: the exponent; 1 falls linearly")
      .real("pct-start", s.pct_start, {0, 1},
            "one_cycle: the share of the run in which the rate rises to --lr")
      .real("div-factor", s.div_factor, {1, 1e9}, "one_cycle: it begins at --lr divided by this")
      .real("final-div-factor", s.final_div_factor, {1, 1e9},
            "one_cycle: it ends at its beginning divided by this")
      .real("warmup", s.warmup, {0, 1e6}, "epochs of linear warm-up");
}

void TrainFlags::add_run_options(cli::Options& options) {
  options.group("Run")
      .folder("output,o", run.folder, "folder of the run")
      .flag("resume", run.resume,
            "continue the run in --output, or begin it; with more --epochs than it had, extend it")
      .integer("checkpoint-every", run.checkpoint_every, {0, 1'000'000},
               "keep the weights of every n-th epoch, and those before the first (0: none); "
               "landscape trajectory takes them")
      .real("save-seconds", run.save_seconds, {0, 1e9},
            "save within an epoch that often, for --resume");
  device.add_to(options);
  cli::add_dry_run_option(options, dry_run);
}

void TrainFlags::check(const cli::Options& options) {
  if (normalisation) topograd::check(*normalisation);
  if (options.given("model") && !names_model_file(run.model.name)) expected_model = run.model.name;
  for (const char* name : {"model", "shortcut", "depth", "width", "activation"})
    model_typed = model_typed || options.given(name);
  if (options.given("image-size")) synthetic_image_size = data.image_size;
  require(!compare || evaluate, "--compare: name the network with --evaluate");
  require(!noisy_labels || on_training_images || !evaluate,
          "--noisy-labels: only training labels have noise; add --split train");
  if (print_model)
    require(!evaluate, "--print-model and --evaluate contradict each other: leave out one of them");
  if (evaluate || list_models || list_recipes || show_version) return;
  cli::require_folder_name(run.folder);
  if (names_model_file(run.model.name)) {
    for (const char* name : {"shortcut", "depth", "width", "activation"})
      require(!options.given(name), "--", name,
              " is for the networks of --list-models: ", run.model.name, " says all of its own");
    run.model = model_spec_of_file(run.model.name);
    data.image_size = synthetic_image_size.value_or(run.model.image_size);
  } else {
    run.model = with_size(run.model, depth_, run.model.width);
    run.model.image_size = data.image_size;
  }
  complete_training();
  refuse_idle_options(options, run.training);
  if (!from || model_typed)
    build_model(run.model);  // throws Error for a wrong model before the data are read
}

void TrainFlags::complete_training() {
  TrainingConfig& t = run.training;
  Schedule& s = t.schedule;
  s.base = rate_.value_or(t.optimizer == OptimizerKind::sgd ? 0.1 : 0.001);
  s.epochs = static_cast<double>(t.epochs);
  require(s.warmup <= s.epochs, "--warmup ", cli::Options::number_text(s.warmup),
          " is out of range: choose 0 to ", t.epochs, ", the epochs");
  s.drops = drops_.value_or(default_drops(s.epochs));
  t.nesterov = !no_nesterov_;
  require(t.optimizer != OptimizerKind::sgd || t.momentum > 0 || !t.nesterov,
          "--momentum 0 leaves nothing to Nesterov's step: add --no-nesterov");
  require_below_1("beta1", t.beta1);
  require_below_1("beta2", t.beta2);
  t.loss = loss.value_or(Loss());
  if (label_smoothing_) {
    require_below_1("label-smoothing", *label_smoothing_);
    require(t.loss.constant == 0, "--loss ", text_of(t.loss),
            " has a label smoothing: leave out --label-smoothing");
    t.loss.constant = *label_smoothing_;
  }
  t.augment = !no_augment_;
  if (ema_) {
    require_below_1("ema", *ema_);
    require(*ema_ > 0, "--ema 0 would be the weights themselves: choose a decay such as 0.999");
    t.ema_decay = *ema_;
  }
  require(!swa_start_ || *swa_start_ <= t.epochs, "--swa-start ", swa_start_.value_or(0),
          " is out of range: choose 1 to ", t.epochs, ", the epochs");
  t.swa_start = swa_start_.value_or(0);
}

}  // namespace topograd
