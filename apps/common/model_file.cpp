#include "apps/common/model_file.h"

#include <filesystem>

#include "apps/common/cli.h"

namespace topograd {

std::string required_model(const std::string& word, const std::string& usage) {
  namespace fs = std::filesystem;
  require(!word.empty(), "no model given; write landscape ", usage,
          " (train and apps/import_torch.py make such files)");
  if (!fs::is_directory(word)) return word;
  const fs::path folder = word, model = folder / "model.safetensors";
  if (fs::exists(model)) return model.string();
  const fs::path last = folder / "last.safetensors";
  require(!fs::exists(last), word,
          " holds a training that has not finished: continue it with train "
          "--resume, or name ",
          last.string(), ", where it stands");
  fail(word, " is a folder without model.safetensors: name a checkpoint, or a training's folder");
}

void require_models(std::vector<std::string>& words, const std::string& usage) {
  if (words.empty()) required_model("", usage);
  for (std::string& word : words) word = required_model(word, usage);
}

void note_clean_labels(const LoadedModel& model, const std::string& program) {
  const std::string note = clean_labels_note(model);
  if (!note.empty()) cli::say(program, ": note: ", note);
}

}  // namespace topograd
