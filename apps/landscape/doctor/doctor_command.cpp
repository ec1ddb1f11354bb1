#include "apps/landscape/doctor/doctor_command.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/landscape/common/image_flags.h"
#include "landscape/diagnosis/surface_notes.h"
#include "landscape/kinds/result_folder.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

/// Returns the accuracy of a guess among the classes of the network that a result is of, percent; 0
/// where the network is gone.
double chance_of(const Record& record) {
  try {
    const LoadedModel model = load_model(value_of(record.provenance, "model_file"));
    return 100.0 / static_cast<double>(model.graph.classes());
  } catch (const Error&) {
    return 0;
  }
}

/// Prints what a result's picture will not show; returns 1 if there is something.
int examine_result(const std::string& path) {
  const Record record = load_record(path);
  require(record.kind == "surface", path, " is ", phrase_of(record),
          ": landscape doctor takes networks, and surfaces, lines and maps of them");
  const Completeness part = completeness(record);
  cli::out() << path << ": " << phrase_of(record) << " of " << record.title << ", " << part.done
             << " of " << part.all << " values\n";
  if (!part.complete()) {
    cli::out() << "note: it is not finished; landscape ls " << path << " says how to continue\n";
    return 1;
  }
  const std::vector<std::string> notes = notes_on(surface_of(record), chance_of(record));
  for (const std::string& note : notes) cli::out() << "note: " << note << '\n';
  if (notes.empty()) cli::out() << "nothing that its picture would hide\n";
  return notes.empty() ? 0 : 1;
}

}  // namespace

void DoctorCommand::add_options(cli::Options& options) {
  options
      .about(
          "Looks for what would make pictures of a network's loss misleading, over the first "
          "images: "
          "weights that are not finite, an accuracy that is chance's (other data, another "
          "normalisation), BatchNorm statistics that do not fit the weights, a network that is not "
          "at "
          "a minimum, a range that shows nothing but a plateau, or nothing at all. One line each. "
          "Exit status 1 if there is something.\n\n"
          "Of a surface, a line or a map that is there: points without a finite loss, and why; "
          "plateaus of chance; a loss that hardly varies. Options are of networks alone.")
      .usage("MODEL | RESULT.h5")
      .positional("MODEL", model_,
                  "a checkpoint, or a training's folder: its network; or a file of surface, line, "
                  "plane, trajectory");
  add_image_options(options, images_);
  loss_.add_to(options);
  options.group("Direction").seed("seed", settings_.seed, "of the random direction");
  run_.add_to(options);
  options.epilogue(R"(Examples:
  landscape doctor model.safetensors --data ~/cifar-10-batches-bin
)");
}

void DoctorCommand::check(const cli::Options&) {
  of_result_ = std::filesystem::is_regular_file(model_) && is_result(model_);
  if (of_result_) return;
  model_ = required_model(model_, "doctor MODEL");
  topograd::check(images_);
  require(images_.split != Split::both,
          "--split both: a diagnosis is of one set; choose train or test");
  settings_.forced = run_.forced_implementations();
}

int DoctorCommand::run(const std::string&) {
  if (of_result_) return examine_result(model_);
  return cli::run_interruptible("landscape", [&] {
    const auto observer = cli::observer("landscape");
    const auto pool = run_.pool();
    const LoadedModel model = load_model(model_);
    settings_.loss = loss_.of(model.info);
    const ImageSets images = select_images(images_, model);
    if (const std::string note = clean_labels_note(images_, model); !note.empty())
      observer->note("note: " + note);
    const std::vector<Finding> findings = diagnose(settings_, model, images, *pool, *observer);
    cli::out() << model.path << ": " << describe(model.spec) << ", " << images.description
               << " images\n";
    for (const Finding& finding : findings)
      cli::out() << (finding.warning ? "  WARNING  " : "  fine     ") << finding.subject << ": "
                 << finding.text << '\n';
    return std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.warning; })
               ? 1
               : 0;
  });
}

}  // namespace topograd
