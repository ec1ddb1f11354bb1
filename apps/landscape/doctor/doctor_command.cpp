#include "apps/landscape/doctor/doctor_command.h"

#include <algorithm>
#include <iostream>

#include "apps/common/model_file.h"
#include "apps/common/terminal_observer.h"
#include "apps/landscape/common/image_flags.h"

namespace topograd {

void DoctorCommand::add_options(cli::Options& options) {
  options
      .about(
          "Looks for what would make pictures of a network's loss misleading, over the first "
          "images: "
          "weights that are not finite, an accuracy that is chance's (other data, another "
          "normalisation), BatchNorm statistics that do not fit the weights, a network that is not "
          "at "
          "a minimum, a range that shows nothing but a plateau, or nothing at all. One line each. "
          "Exit status 1 if there is something.")
      .usage("MODEL")
      .positional("MODEL", model_, "a checkpoint, or a training's folder: its network");
  add_image_options(options, images_);
  loss_.add_to(options);
  options.group("Direction").seed("seed", settings_.seed, "of the random direction");
  run_.add_to(options);
  options.epilogue(R"(Examples:
  landscape doctor model.safetensors --data ~/cifar-10-batches-bin
)");
}

void DoctorCommand::check(const cli::Options&) {
  model_ = required_model(model_, "doctor MODEL");
  topograd::check(images_);
  require(images_.split != Split::both,
          "--split both: a diagnosis is of one set; choose train or test");
  settings_.forced = run_.forced_implementations();
}

int DoctorCommand::run(const std::string&) {
  return cli::run_interruptible("landscape", [&] {
    cli::TerminalObserver observer("landscape");
    const auto pool = run_.pool();
    const LoadedModel model = load_model(model_);
    settings_.loss = loss_.of(model.info);
    const ImageSets images = select_images(images_, model);
    if (const std::string note = clean_labels_note(images_, model); !note.empty())
      observer.note("note: " + note);
    const std::vector<Finding> findings = diagnose(settings_, model, images, *pool, observer);
    std::cout << model.path << ": " << describe(model.spec) << ", " << images.description
              << " images\n";
    for (const Finding& finding : findings)
      std::cout << (finding.warning ? "  WARNING  " : "  fine     ") << finding.subject << ": "
                << finding.text << '\n';
    return std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.warning; })
               ? 1
               : 0;
  });
}

}  // namespace topograd
