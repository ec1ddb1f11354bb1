// Provenance: what a result was made from and how, kept with it in its file.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace topograd {

/// Facts by name: model_hash, data_hash, direction_hash, loss, bn_mode, precision, seed, version,
/// command, ... Stored as attributes of a file's root.
using Provenance = std::map<std::string, std::string>;

/// The fact of this name; empty where there is none.
std::string value_of(const Provenance& provenance, const std::string& key);

/// Describes differences: one line for a person per key of `keys` on which the two disagree, in that order: "loss:
/// file has cross_entropy, this command asks for mse". A key that one side lacks is a difference, a
/// key that both lack is not. Resuming a file is right only when there is none.
std::vector<std::string> differences(const Provenance& file, const Provenance& asked,
                                     const std::vector<std::string>& keys);

}  // namespace topograd
