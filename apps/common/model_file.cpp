#include "apps/common/model_file.h"

#include "apps/common/cli.h"

namespace topograd {

std::string required_model(const std::string& path, const std::string& usage) {
  require(!path.empty(), "no model given; write landscape ", usage,
          " (train and apps/import_torch.py make such files)");
  return path;
}

void note_clean_labels(const LoadedModel& model, const std::string& program) {
  const std::string note = clean_labels_note(model);
  if (!note.empty()) cli::say(program, ": note: ", note);
}

}  // namespace topograd
