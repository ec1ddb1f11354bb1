// Files of results that a repeated command continues.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "landscape/results/provenance.h"

namespace topograd {

/// Returns whether a file is there. Throws Error where `output` is a folder, or empty.
bool is_there(const std::string& output);

/// Throws Error where a saved file belongs to another command: where the two disagree on one of the
/// keys, or there are other reasons.
void require_same_command(const std::string& output, const Provenance& saved,
                          const Provenance& asked, const std::vector<std::string>& keys,
                          std::vector<std::string> reasons = {});

/// Returns the names of the facts on which a saved file and the command that continues it must
/// agree: what decides any number over images (model_hash, data_hash, data, images, subset, loss,
/// bn_mode, device), and `more`, what decides these. A fact that neither has is no difference.
std::vector<std::string> identity_with(const std::vector<std::string>& more);

/// Returns what an earlier run of the command left in the file at `output`, as `load` reads it, with
/// the facts of `asked` in place of its own; nothing where no file is there yet. Throws Error where
/// the file is another command's: where it differs in a fact of `identity`, or for one of the
/// reasons that `others` finds in it. Results are any struct with a Provenance `provenance`.
template <class Load, class Results = std::invoke_result_t<Load>>
std::optional<Results> load_saved(
    const std::string& output, const Provenance& asked, const std::vector<std::string>& identity,
    const Load& load,
    const std::function<std::vector<std::string>(const std::type_identity_t<Results>&)>& others =
        {}) {
  if (!is_there(output)) return std::nullopt;
  Results saved = load();
  require_same_command(output, saved.provenance, asked, identity,
                       others ? others(saved) : std::vector<std::string>());
  for (const auto& [key, value] : asked) saved.provenance[key] = value;
  return saved;
}

}  // namespace topograd
