#include "apps/landscape/verify/recomputation.h"

#include <cstdlib>
#include <filesystem>

#include "apps/common/cli.h"
#include "apps/landscape/commands.h"
#include "apps/landscape/verify/recorded_command.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/surface/surface_results.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Folder of files that nobody else needs.
class ScratchFolder {
 public:
  ScratchFolder() {
    path_ = (fs::temp_directory_path() / "topograd-verify-XXXXXX").string();
    require(::mkdtemp(path_.data()) != nullptr, "cannot create a folder in ",
            fs::temp_directory_path().string(), ", which TMPDIR names");
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return (fs::path(path_) / name).string(); }

 private:
  std::string path_;
};

/// The console of a command whose results are printed by nobody.
class WithoutResults : public cli::Console {
 public:
  explicit WithoutResults(cli::Console& console) : console_(console) {}
  std::ostream& out() override { return nothing_; }
  void say(const std::string& line) override { console_.say(line); }
  std::unique_ptr<Observer> observer(const std::string& program, cli::Notes notes) override {
    return console_.observer(program, notes);
  }
  bool is_watched() const override { return console_.is_watched(); }

 private:
  cli::Console& console_;
  std::ostream nothing_{nullptr};
};

bool has_points(const Record& record) {
  return record.kind == "surface" || record.kind == "trajectory" || record.kind == "paths";
}

void save(const Record& record, const std::string& path) {
  if (record.kind == "surface")
    surface_of(record).save(path);
  else if (record.kind == "trajectory")
    trajectory_of(record).save(path);
  else
    connectivity_of(record).save(path);
}

/// Returns the points that can be computed again without what is no part of the result: of a
/// trained curve, the control point lies in a file of its own.
PointSample points_of(const Record& record) {
  PointSample points = points_done(record);
  std::erase_if(points,
                [](const auto& of_mask) { return of_mask.first.starts_with("paths/curve/"); });
  return points;
}

int run_again(const RecordedCommand& recorded, const std::string& typed) {
  const std::unique_ptr<cli::Command> command =
      cli::entry_named(landscape_commands(), recorded.name, "landscape").make();
  cli::Options options(text("landscape ", recorded.name));
  cli::read_command_line(*command, options, recorded.words);
  command->check(options);
  WithoutResults console(cli::console());
  const cli::ConsoleScope scope(console);
  return command->run(typed);
}

/// Throws Error if the two were made from other networks, images or settings.
void require_same_making(const Record& stated, const Record& found) {
  for (const char* fact : {"model_hash", "to_model_hash", "normalisation", "data_hash", "images",
                           "subset", "loss", "bn_mode", "direction_hash"}) {
    const std::string was = value_of(stated.provenance, fact),
                      is = value_of(found.provenance, fact);
    require(was == is, fact, " is ", was.empty() ? "not there" : was, ", its command gives ",
            is.empty() ? "none" : is);
  }
}

/// Returns the message of a command that ran in a scratch folder, as it concerns the result itself.
std::string advice(std::string message, const std::string& scratch, const std::string& file) {
  const auto replace = [&](const std::string& what, const std::string& by) {
    for (size_t at = 0; (at = message.find(what, at)) != message.npos; at += by.size())
      message.replace(at, what.size(), by);
  };
  replace(scratch, file);
  replace("choose another --output, or remove the file",
          "if what it was made from lies elsewhere now, --model and --data name it");
  return message;
}

}  // namespace

Recomputation recompute(const Record& record, const VerifySettings& settings, uint64_t seed) {
  const std::string function = value_of(record.provenance, "function");
  require(function.empty(), record.file, " was made by a function that landscape does not have (",
          function, ") and cannot be verified here: whoever has it computes it anew");
  const ScratchFolder folder;
  CommandChanges changes{.model = settings.model,
                         .data = settings.data,
                         .threads = settings.threads,
                         .output = folder.file("result.h5"),
                         .folder = folder.path()};
  RecordedCommand command = recorded_command(record, changes);
  // A trajectory's command computes the surface on its plane, too, in a file named after its own.
  const bool beside = command.name == "trajectory" && record.kind == "surface";
  const std::string file = beside ? folder.file("result_surface.h5") : changes.output;
  Recomputation result;
  if (has_points(record)) {
    const PointSample points = points_of(record);
    result.points = count_of(points);
    require(result.points > 0, record.file, " has no point that is done");
    result.sample = sample_of(points, settings.sample, seed);
    save(without(record, *result.sample), file);
    if (record.kind == "trajectory")
      command.words.insert(command.words.begin(), {"--x=0:1:2", "--y=0:1:2"});
  }
  try {
    const int status = run_again(command, value_of(record.provenance, "command"));
    result.interrupted = status == cli::kInterruptedStatus;
    require(status == 0 || result.interrupted, "its command fails");
    if (result.interrupted) return result;
    result.record = load_record(file);
    require_same_making(record, result.record);
  } catch (const std::exception& error) {
    fail(record.file, " cannot be verified: ", advice(error.what(), file, record.file));
  }
  return result;
}

}  // namespace topograd
