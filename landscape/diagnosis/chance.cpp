#include "landscape/diagnosis/chance.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"
#include "kernels/core/format.h"

namespace topograd {

bool is_chance(double accuracy, double chance, double images) {
  if (chance <= 0 || chance > 50) return false;
  const double deviation = std::sqrt(chance * (100 - chance) / std::max(1.0, images));
  return accuracy <= chance + 3 * deviation;
}

std::string note_on_chance(const std::string& set, double accuracy, double chance, double images) {
  if (!is_chance(accuracy, chance, images)) return "";
  return text("the ", set, " accuracy at the network itself, ", significant(accuracy, 4),
              " %, is what chance gives: landscape doctor says more");
}

}  // namespace topograd
