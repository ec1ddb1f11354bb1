#include "apps/train/recipes.h"

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Returns a run of Li et al., "Visualizing the Loss Landscape of Neural Nets" (2018): 300 epochs,
/// the rate times 0.1 after 150, 225 and 275 of them (the schedule's default: with other --epochs,
/// at the same shares). The rate is 0.1 for SGD with any batch size, 0.001 for Adam.
Recipe of_the_paper(const std::string& name, const std::string& about, const std::string& model,
                    const std::string& optimizer, const std::string& batch_size,
                    const std::string& weight_decay) {
  return {name,
          about,
          {{"model", model},
           {"optimizer", optimizer},
           {"lr", optimizer == "sgd" ? "0.1" : "0.001"},
           {"batch-size", batch_size},
           {"weight-decay", weight_decay},
           {"epochs", "300"},
           {"schedule", "step"}}};
}

void add_vgg9(std::vector<Recipe>& all) {
  for (const std::string optimizer : {"sgd", "adam"})
    for (const auto& [size, batch_size] : {std::pair("small", "128"), {"large", "8192"}})
      for (const bool decays : {false, true}) {
        const std::string adam = optimizer == "sgd" ? "" : "adam-";
        all.push_back(of_the_paper(text("vgg9-", adam, size, "-batch", decays ? "-decay" : ""),
                                   text("the paper's VGG-9, ", optimizer, ", batches of ",
                                        batch_size, ", weight decay ", decays ? "5e-4" : "0"),
                                   "vgg9", optimizer, batch_size, decays ? "0.0005" : "0"));
      }
}

void add_resnets(std::vector<Recipe>& all) {
  struct Network {
    const char *name, *model, *error;  // the paper's test error, percent
  };
  for (const auto& [name, model, error] :
       {Network{"resnet20", "resnet20", "7.37"},
        Network{"resnet20-noshort", "resnet20_noshort", "8.18"},
        Network{"resnet56", "resnet56", "5.89"},
        Network{"resnet56-noshort", "resnet56_noshort", "13.31"},
        Network{"resnet110", "resnet110", "5.79"},
        Network{"resnet110-noshort", "resnet110_noshort", "16.44"},
        Network{"wrn56-2", "wrn56_2", "5.07"},
        Network{"wrn56-2-noshort", "wrn56_2_noshort", "10.26"},
        Network{"wrn56-4", "wrn56_4", "4.34"},
        Network{"wrn56-4-noshort", "wrn56_4_noshort", "9.69"},
        Network{"wrn56-8", "wrn56_8", "3.93"},
        Network{"wrn56-8-noshort", "wrn56_8_noshort", "8.70"}})
    all.push_back(of_the_paper(
        name,
        text("the paper's ", model, ", which errs on ", error, " % of CIFAR-10's test images"),
        model, "sgd", "128", "0.0005"));
  all.push_back(of_the_paper("resnet56-large-batch",
                             "the paper's resnet56 in batches of 4096, which errs on 10.59 %",
                             "resnet56", "sgd", "4096", "0.0005"));
  all.push_back(of_the_paper("densenet121", "the paper's DenseNet-121", "densenet121", "sgd", "128",
                             "0.0005"));
}

std::vector<Recipe> all_recipes() {
  std::vector<Recipe> all;
  add_vgg9(all);
  add_resnets(all);
  all.push_back({"resnet20-fast",
                 "ResNet-20 in 30 epochs of a cosine schedule, a tenth of the paper's",
                 {{"model", "resnet20"},
                  {"optimizer", "sgd"},
                  {"lr", "0.1"},
                  {"batch-size", "128"},
                  {"weight-decay", "0.0005"},
                  {"epochs", "30"},
                  {"schedule", "cosine"},
                  {"warmup", "1"}}});
  return all;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = all_recipes();
  return all;
}

const Recipe& recipe_named(const std::string& name) {
  std::string names;
  for (const Recipe& recipe : recipes()) {
    if (recipe.name == name) return recipe;
    names += (names.empty() ? "" : ", ") + recipe.name;
  }
  fail("unknown recipe '", name, "': choose ", names);
}

}  // namespace topograd
