// Recipes: the settings of published experiments by name.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace topograd {

/// What `train --recipe` stands for: values for flags, in place of their defaults.
struct Recipe {
  std::string name;
  std::string about;
  std::vector<std::pair<std::string, std::string>> flags;  ///< without the hyphens, and the value
};

const std::vector<Recipe>& recipes();

/// The recipe of this name; anything else is an Error that lists them.
const Recipe& recipe_named(const std::string& name);

}  // namespace topograd
