// Recipes: the settings of published experiments by name.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace topograd {

/// Settings of a published experiment, which `train --recipe` sets in place of options' defaults.
struct Recipe {
  std::string name;
  std::string about;
  std::vector<std::pair<std::string, std::string>> flags;  ///< {"batch-size", "128"}
};

const std::vector<Recipe>& recipes();

/// Returns the recipe of this name. Throws Error, which lists them, for any other.
const Recipe& recipe_named(const std::string& name);

}  // namespace topograd
