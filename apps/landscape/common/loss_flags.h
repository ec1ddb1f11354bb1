// --loss: what is computed of a network's outputs.
#pragma once

#include <optional>
#include <vector>

#include "apps/common/options.h"
#include "kernels/loss/loss_function.h"
#include "models/loaded_model.h"

namespace topograd {

/// The loss of a command that takes one; unless chosen that of the first network's training.
struct LossFlag {
  std::optional<Loss> chosen;

  /// Declares --loss in the group "Data".
  void add_to(cli::Options& options);
  /// Returns the loss of a command on this network.
  Loss of(const CheckpointInfo& network) const;
  /// Returns the loss of a command on the network of a checkpoint, which is read for it.
  Loss of(const std::string& path) const;
};

/// Losses and measures of a command that takes several.
struct LossesFlag {
  std::vector<Loss> chosen;    ///< none: that of the network's training
  std::vector<Loss> measures;  ///< kinds without gradient

  /// Declares --loss and --measures in the group "Data".
  void add_to(cli::Options& options);
  /// Returns the losses of a command on this network.
  std::vector<Loss> of(const CheckpointInfo& network) const;
};

}  // namespace topograd
