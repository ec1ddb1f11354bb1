// Result files that a repeated command resumes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/core/output_claim.h"
#include "landscape/results/provenance.h"

namespace topograd {

/// Returns whether the file exists. Throws Error if `output` is a folder, or empty.
bool is_there(const std::string& output);

/// Claims the output of a computation, for as long as it saves there. Throws Error as is_there()
/// and OutputClaim do.
OutputClaim claim_output(const std::string& output);

/// What a computation is made for: to be run, or only to be planned, which writes nothing.
enum class Purpose { run, plan };
/// Returns claim_output(), of what is only planned nothing.
std::optional<OutputClaim> claim_unless_planned(const std::string& output, Purpose purpose);

/// Throws Error if a saved file is another command's: `saved` and `asked` differ in one of `keys`,
/// or `reasons` is not empty.
void require_same_command(const std::string& output, const Provenance& saved,
                          const Provenance& asked, const std::vector<std::string>& keys,
                          std::vector<std::string> reasons = {});

/// Returns the names of the facts in which a saved file and the command that continues it must
/// agree: those that decide any number over images (model_hash, normalisation where it is not the
/// model's, data_hash, data, images, subset, loss, bn_mode, device), and `more`. A fact that neither has is no difference.
std::vector<std::string> identity_with(const std::vector<std::string>& more);

/// Returns the results of an earlier run of the command in the file `output`, as `load` reads them,
/// with the facts of `asked` replacing their own; nullopt if there is no file. Throws Error if the
/// file is another command's: it differs in a fact of `identity`, or `others` returns reasons.
/// Results are any struct with a Provenance `provenance`.
template <class Load, class Results = std::invoke_result_t<Load>>
std::optional<Results> load_saved(
    const std::string& output, const Provenance& asked, const std::vector<std::string>& identity,
    const Load& load,
    const std::function<std::vector<std::string>(const std::type_identity_t<Results>&)>& others =
        {}) {
  if (!is_there(output)) return std::nullopt;
  const OwnOutputScope own;
  Results saved = load();
  require_same_command(output, saved.provenance, asked, identity,
                       others ? others(saved) : std::vector<std::string>());
  for (const auto& [key, value] : asked) saved.provenance[key] = value;
  return saved;
}

}  // namespace topograd
