#include "apps/landscape/ls/ls_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "apps/common/console.h"
#include "apps/common/table.h"
#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "landscape/kinds/result_folder.h"
#include "landscape/kinds/result_kind.h"
#include "models/loaded_model.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// File, what it is, what is to be said of it.
using Row = std::vector<std::string>;

/// What is listed of a folder.
struct Listing {
  std::vector<Row> rows;
  std::vector<std::string> to_continue;  ///< commands that finish what is unfinished
};

/// Returns the number of epochs that the training of a checkpoint was to have; 0: unknown.
int64_t epochs_of(const CheckpointInfo& info) {
  const auto config = json_or_null(info.config);
  if (!config.is_object() || !config.contains("epochs")) return 0;
  return config.at("epochs").is_number_integer() ? config.at("epochs").get<int64_t>() : 0;
}

std::string epochs(int64_t count) {
  return text(count, count == 1 ? " epoch" : " epochs");
}

/// Returns "9.1 % test error" of the last epoch in a folder's log; empty without one.
std::string last_test_error(const fs::path& folder) {
  const fs::path log = folder / "log.csv";
  if (!fs::exists(log)) return "";
  const Record record = load_record(log.string());
  const NamedArray* accuracy = record.find("test_accuracy");
  if (!accuracy || accuracy->numbers.empty() || std::isnan(accuracy->numbers.back())) return "";
  return decimals(100 - accuracy->numbers.back(), 2) + " % test error";
}

void list_network(const fs::path& path, Listing& listing) {
  const LoadedModel model = load_model(path.string());
  std::string state;
  const auto add = [&](const std::string& what) {
    if (!what.empty()) state += (state.empty() ? "" : ", ") + what;
  };
  const auto data = model.info.notes.find("data");
  if (data != model.info.notes.end()) add("of " + data->second);
  if (model.has_training_state) {
    const TrainingState training =
        Checkpoint::read(path.string()).training_state(model.graph.layout());
    const int64_t all = epochs_of(model.info);
    add(text("training after ", training.epoch, " of ", epochs(all)));
    const auto command = model.info.notes.find("command");
    if (training.epoch < all && command != model.info.notes.end()) {
      const bool resumes = command->second.find("--resume") != std::string::npos;
      listing.to_continue.push_back(command->second + (resumes ? "" : " --resume"));
    }
  } else if (path.filename() == "model.safetensors") {
    if (const int64_t all = epochs_of(model.info)) add(epochs(all));
    add(last_test_error(path.parent_path()));
  }
  listing.rows.push_back({path.filename().string(), describe(model.spec), state});
}

/// Lists the checkpoints <prefix><epoch>.safetensors of a training as one.
void list_epochs(std::vector<fs::path>& networks, Listing& listing) {
  std::vector<fs::path> kept;
  const auto is_epoch = [](const fs::path& path) {
    return path.filename().string().starts_with("epoch_");
  };
  std::copy_if(networks.begin(), networks.end(), std::back_inserter(kept), is_epoch);
  if (kept.size() < 2) return;
  std::erase_if(networks, is_epoch);
  listing.rows.push_back({"epoch_*.safetensors", text(kept.size(), " checkpoints"),
                          "for landscape trajectory, and surface --film"});
}

void list_result(const std::string& path, Listing& listing) {
  const Record record = load_record(path);
  const Completeness part = completeness(record);
  const std::string command = value_of(record.provenance, "command");
  std::string state = part.all == 0 ? "" : text(part.done, " of ", part.all, " values");
  if (!part.complete() && !command.empty()) listing.to_continue.push_back(command);
  const std::string network = record.kind == "training_log" ? "" : " of " + record.title;
  listing.rows.push_back({fs::path(path).filename().string(), phrase_of(record) + network, state});
}

bool is_network(const fs::path& path) {
  return path.extension() == ".safetensors";
}

/// Returns what there is of a folder, or of one file.
Listing listing_of(const std::string& word) {
  Listing listing;
  std::vector<fs::path> networks;
  std::vector<std::string> results;
  if (fs::is_directory(word)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(word))
      if (entry.is_regular_file() && is_network(entry.path())) networks.push_back(entry.path());
    results = results_in(word);
  } else if (is_network(word)) {
    networks.emplace_back(word);
  } else {
    results.push_back(word);
  }
  std::sort(networks.begin(), networks.end());
  list_epochs(networks, listing);
  const auto tried = [&](const std::string& path, auto list) {
    try {
      list();
    } catch (const Error& error) {
      listing.rows.push_back({fs::path(path).filename().string(), "cannot be read", error.what()});
    }
  };
  for (const fs::path& path : networks) tried(path.string(), [&] { list_network(path, listing); });
  for (const std::string& path : results) tried(path, [&] { list_result(path, listing); });
  return listing;
}

}  // namespace

void LsCommand::add_options(cli::Options& options) {
  options
      .about(
          "Networks and results in folders, and of what is unfinished the command that continues "
          "it.")
      .positionals("RUN", words_,
                   "folders: of trainings, of results; or a network's or a result's file");
}

void LsCommand::check(const cli::Options&) {
  if (words_.empty()) words_.emplace_back(".");
  for (const std::string& word : words_)
    require(fs::exists(word), word, " is not there: name folders, networks or results");
}

int LsCommand::run(const std::string&) {
  for (size_t i = 0; i < words_.size(); ++i) {
    const Listing listing = listing_of(words_[i]);
    cli::out() << (i > 0 ? "\n" : "") << words_[i] << ":\n";
    if (listing.rows.empty()) cli::out() << "  neither a network nor a result\n";
    print_table(listing.rows, 3);
    for (const std::string& command : listing.to_continue)
      cli::out() << "  to continue: " << command << '\n';
  }
  return 0;
}

}  // namespace topograd
