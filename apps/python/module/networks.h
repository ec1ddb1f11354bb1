// Networks and images that a Python program holds.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "kernels/core/in_memory.h"
#include "models/loaded_model.h"

namespace topograd::python {

/// A network under a name that commands take for a file's.
class HeldNetwork {
 public:
  HeldNetwork(LoadedModel model, const std::string& label)
      : model_(std::make_shared<const LoadedModel>(std::move(model))), held_(model_, label) {}

  const LoadedModel& model() const { return *model_; }
  const std::string& name() const { return held_.name(); }
  /// Writes a checkpoint.
  void save(const std::string& path) const;
  /// Returns the network that it becomes at a point of a surface around it.
  std::unique_ptr<HeldNetwork> at(const std::string& surface, double alpha, double beta,
                                  const std::string& label) const;
  /// Returns this network with other numbers.
  std::unique_ptr<HeldNetwork> with(const ModelState& weights, const std::string& label) const;

 private:
  std::shared_ptr<const LoadedModel> model_;
  InMemory<LoadedModel> held_;
};

/// Returns the network in a file, or of the name of another one.
std::unique_ptr<HeldNetwork> read_network(const std::string& path,
                                          const std::optional<std::string>& label);

/// Returns a network of the zoo with its first weights.
std::unique_ptr<HeldNetwork> new_network(const ModelSpec& spec, uint64_t seed,
                                         const Normalisation& normalisation);

/// Images under a name that commands take for a folder's.
using HeldImages = InMemory<DataSplits>;

}  // namespace topograd::python
