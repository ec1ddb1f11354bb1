// Networks that know no more than a guess.
#pragma once

#include <string>

namespace topograd {

/// Returns whether an accuracy of so many images, percent, is what guesses give: at most three of
/// their standard deviations above `chance`, percent; false where that is 0 (images have numbers) or
/// more than 50 (one class).
bool is_chance(double accuracy, double chance, double images);

/// Returns a note on a network of such an accuracy, over the "train" or "test" images; "" on another.
std::string note_on_chance(const std::string& set, double accuracy, double chance, double images);

}  // namespace topograd
