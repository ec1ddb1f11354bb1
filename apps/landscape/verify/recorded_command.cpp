#include "apps/landscape/verify/recorded_command.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "apps/common/command.h"
#include "apps/landscape/commands.h"
#include "landscape/planes/recorded_directions.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// A command as it was typed, read with its own options.
class TypedCommand {
 public:
  explicit TypedCommand(const Record& record) : file_(record.file) {
    const std::string line = value_of(record.provenance, "command");
    const std::vector<std::string> words = cli::shell_words(line);
    require(words.size() >= 3 && fs::path(words[0]).filename() == "landscape", file_,
            " does not say which command of landscape made it, and cannot be verified");
    name_ = words[1];
    const auto& commands = landscape_commands();
    const auto entry =
        std::find_if(commands.begin(), commands.end(), [&](const cli::CommandEntry& e) {
          return name_ == e.name && std::string(e.group) == cli::CommandEntry{}.group;
        });
    require(entry != commands.end(), file_, " says that it was made by landscape ", name_,
            ", which computes nothing");
    command_ = entry->make();
    options_.emplace(text("landscape ", name_));
    require(read({words.begin() + 2, words.end()}), file_,
            " says that it was made by a command that prints its help");
  }

  const std::string& name() const { return name_; }
  const cli::ParsedWords& parsed() const { return options_->parsed(); }
  bool is_output(const std::string& option) const {
    return option == "output" || options_->is_output_file(option);
  }
  bool knows(const std::string& option) const {
    const auto& entries = options_->entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return entry.names.front() == option; });
  }
  std::string group_of(const std::string& option) const {
    for (const auto& entry : options_->entries())
      if (entry.names.front() == option) return entry.group;
    return "";
  }

 private:
  /// Returns whether the words are a computation's, and not a call for help.
  bool read(const std::vector<std::string>& words) {
    for (const std::string& word : words)
      if (word == "--help" || word == "-h") return false;
    try {
      return cli::read_command_line(*command_, *options_, words);
    } catch (const Error& error) {
      fail(file_, " cannot be verified: in its command ", error.what());
    }
  }

  std::string file_, name_;
  std::unique_ptr<cli::Command> command_;
  std::optional<cli::Options> options_;
};

class Rewriting {
 public:
  Rewriting(const Record& record, const CommandChanges& changes)
      : record_(record), changes_(changes), typed_(record) {}

  RecordedCommand run() {
    positionals_ = typed_.parsed().positionals;
    if (changes_.model) {
      dropped_.insert({"model-file", "models", "runs"});
      if (positionals_.empty()) positionals_.emplace_back();
      positionals_.front() = *changes_.model;
    }
    if (record_.kind == "sharpness") take_one_network();
    if (is_of_a_film()) take_one_checkpoint();
    if (changes_.data) dropped_.insert("data");
    if (changes_.threads) dropped_.insert("threads");
    for (const auto& [name, value] : typed_.parsed().options)
      if (!typed_.is_output(name) && !dropped_.contains(name)) take(name, value);
    add("output", changes_.output);
    if (changes_.data) add("data", *changes_.data);
    if (changes_.threads) add("threads", text(*changes_.threads));
    if (typed_.knows("no-pictures")) words_.emplace_back("--no-pictures");
    if (!positionals_.empty()) words_.emplace_back("--");
    words_.insert(words_.end(), positionals_.begin(), positionals_.end());
    return {typed_.name(), words_};
  }

 private:
  void add(const std::string& name, const std::string& value) {
    words_.push_back(text("--", name, '=', value));
  }

  void take(const std::string& name, const std::string& value) {
    if (name == "no-pictures") return;
    if (name == "dir-file" && !fs::exists(value)) {
      // Where it is not there, surface writes its random directions to it, and trajectory its
      // principal components: both are made again from what they were made of.
      require(typed_.name() != "plane", record_.file, " lies on the plane of ", value,
              ", which is not there");
      return;
    }
    if (name == "control") return;  // of a curve, beside the output
    if (value.empty())
      words_.push_back("--" + name);
    else
      add(name, value);
  }

  /// Measures the record's network alone, of all that the command named.
  void take_one_network() {
    const std::string model = changes_.model.value_or(value_of(record_.provenance, "model_file"));
    std::vector<std::string> surfaces;
    for (const auto& [name, value] : typed_.parsed().options)
      if (name == "surface") surfaces.push_back(value);
    const auto& models = typed_.parsed().positionals;
    const auto place =
        std::find(models.begin(), models.end(), value_of(record_.provenance, "model_file"));
    positionals_ = {model};
    dropped_.insert({"surface", "models"});
    const auto number = static_cast<size_t>(place - models.begin());
    if (number < surfaces.size()) add("surface", surfaces[number]);
  }

  /// Returns whether the record is one of the surfaces around the checkpoints of a folder: its
  /// command named the folder, not the network.
  bool is_of_a_film() const {
    const auto& named = typed_.parsed().positionals;
    if (typed_.name() != "surface" || named.empty()) return false;
    const std::string file = value_of(record_.provenance, "model_file");
    return file != named.front() && fs::path(file) != fs::path(named.front()) / "model.safetensors";
  }

  /// Computes the surface around one checkpoint alone, on the plane that all of them share.
  void take_one_checkpoint() {
    const std::string path = changes_.model.value_or(value_of(record_.provenance, "model_file"));
    const LoadedModel model = load_model(path);
    const Surface surface = surface_of(record_);
    const SurfaceDirections directions = directions_of_surface(surface, record_.file, model, "");
    const std::string file = (fs::path(changes_.folder) / "plane.h5").string();
    write_directions(file, model.graph.layout(), directions.type, directions.planes.front().x,
                     directions.planes.front().y);
    positionals_ = {path};
    for (const auto& [name, value] : typed_.parsed().options) {
      const std::string group = typed_.group_of(name);
      if (group == "A training's checkpoints" || (group == "Directions" && !name.starts_with("bn")))
        dropped_.insert(name);
    }
    dropped_.insert("dir-file");
    add("dir-file", file);
  }

  const Record& record_;
  const CommandChanges& changes_;
  TypedCommand typed_;
  std::set<std::string> dropped_;
  std::vector<std::string> positionals_, words_;
};

}  // namespace

RecordedCommand recorded_command(const Record& record, const CommandChanges& changes) {
  return Rewriting(record, changes).run();
}

}  // namespace topograd
