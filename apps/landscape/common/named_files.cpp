#include "apps/landscape/common/named_files.h"

#include "apps/common/cli.h"
#include "landscape/kinds/result_folder.h"

namespace topograd::cli {

std::vector<std::string> results_named(const std::vector<std::string>& words,
                                       const std::string& command) {
  const NamedResults named = named_results(words);
  for (const std::string& file : named.left_out)
    say("landscape ", command, ": note: ", file, " holds directions, not results: it is left out");
  return named.files;
}

}  // namespace topograd::cli
