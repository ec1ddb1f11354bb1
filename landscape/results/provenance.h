// Provenance: facts about what a result was made from and how, kept in its file.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace topograd {

/// Facts by name: model_hash, data_hash, direction_hash, loss, bn_mode, precision, seed, version,
/// command, ... Stored as attributes of a file's root.
using Provenance = std::map<std::string, std::string>;

/// Returns the fact of this name; "" if there is none.
std::string value_of(const Provenance& provenance, const std::string& key);

/// Returns a line for each of `keys` in which the two differ: "loss: file has cross_entropy, this
/// command asks for mse". A key that one side lacks is a difference, a key that both lack is not. A
/// file may be resumed only if there is none.
std::vector<std::string> differences(const Provenance& file, const Provenance& asked,
                                     const std::vector<std::string>& keys);

}  // namespace topograd
