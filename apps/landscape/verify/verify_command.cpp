#include "apps/landscape/verify/verify_command.h"

#include <random>

#include "apps/common/cli.h"
#include "apps/landscape/verify/recomputation.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/verification/agreement.h"

namespace topograd {

namespace {

constexpr size_t kShownDeviations = 5;

/// Prints what a sample that agrees tells of the points outside it.
void print_reach(const Recomputation& computed) {
  const int64_t sampled = count_of(*computed.sample), all = computed.points;
  if (sampled == all) return;
  cli::out() << "  one altered point among the " << all
             << " would have been noticed with probability "
             << significant(100 * probability_of_noticing(all, sampled, 1)) << " %, "
             << fewest_noticed(all, sampled, 0.95) << " with 95 %\n";
}

void print_deviations(const std::vector<Deviation>& deviating) {
  for (size_t k = 0; k < std::min(deviating.size(), kShownDeviations); ++k) {
    const Deviation& d = deviating[k];
    cli::out() << "  " << d.name << (d.where.empty() ? "" : " at ") << d.where << " is "
               << significant(d.stated, 9) << ", computed anew " << significant(d.found, 9) << '\n';
  }
  if (deviating.size() > kShownDeviations)
    cli::out() << "  and " << deviating.size() - kShownDeviations << " more\n";
}

/// Verifies a record and prints what comes of it; returns the exit status.
int verify(const Record& record, const VerifySettings& settings, uint64_t seed) {
  const std::string made_by = value_of(record.provenance, "version");
  if (!made_by.empty() && made_by != version())
    cli::say("landscape: note: ", record.file, " is of version ", made_by, ", this is ", version());
  const Recomputation computed = recompute(record, settings, seed);
  if (computed.interrupted) return cli::kInterruptedStatus;
  const Agreement agreement = agreement_of(
      record, computed.record, computed.sample ? &*computed.sample : nullptr, settings.tolerance);
  require(agreement.numbers > 0, record.file, " has no number that its command computes");
  cli::out() << record.file << ": " << phrase_of(record) << ", ";
  if (computed.sample)
    cli::out() << count_of(*computed.sample) << " of " << computed.points
               << " points computed anew (--seed " << seed << "): ";
  else
    cli::out() << "all of it computed anew: ";
  cli::out() << agreement.same_bits << " of " << agreement.numbers
             << " numbers are the same to the bit";
  const auto near =
      agreement.numbers - agreement.same_bits - static_cast<int64_t>(agreement.deviating.size());
  if (near > 0)
    cli::out() << ", " << near << " differ by at most "
               << significant(agreement.largest_difference, 2) << " of their size";
  if (!agreement.deviating.empty()) cli::out() << ", " << agreement.deviating.size() << " DIFFER";
  cli::out() << '\n';
  print_deviations(agreement.deviating);
  if (!agreement.deviating.empty()) return 1;
  if (computed.sample) print_reach(computed);
  return 0;
}

}  // namespace

void VerifyCommand::add_options(cli::Options& options) {
  options
      .about(
          "Computes numbers of results anew, by the commands that made them, and compares: points "
          "drawn at random of surfaces, lines, maps, trajectories and paths, all numbers of other "
          "results. Exit status 1 if a number differs. Reads results, records in JSON and "
          "reports.\n\n"
          "Start it where the command was started, so that its files are found, or name them with "
          "--model and --data. Nothing is written but in a folder that is removed again.")
      .usage("RESULT...")
      .positionals("RESULT", files_)
      .group("Verification")
      .integer("sample", settings_.sample, {1, int64_t{1} << 40}, "points to compute anew")
      .real("tolerance", settings_.tolerance, {0, 1},
            "relative difference that counts as agreement: other processors round otherwise")
      .seed("seed", settings_.seed, "of the choice of points (default: a new one every time)")
      .file("model", settings_.model, "the network, where it lies elsewhere now")
      .folder("data", settings_.data, "the images, where they lie elsewhere now")
      .integer("threads", settings_.threads, {0, 4096}, "CPU threads, in place of the command's");
  options.epilogue(R"(Examples:
  landscape verify surface.h5
  landscape verify report.html --sample 100 --data ~/cifar-10-batches-bin
)");
}

void VerifyCommand::check(const cli::Options&) {
  require(!files_.empty(), "nothing to verify: write landscape verify RESULT...");
}

int VerifyCommand::run(const std::string&) {
  const uint64_t seed = settings_.seed ? *settings_.seed : std::random_device()();
  int worst = 0;
  for (const std::string& file : files_) try {
      for (const Record& record : load_records(file)) {
        const int status = verify(record, settings_, seed);
        if (status == cli::kInterruptedStatus) return status;
        worst = std::max(worst, status);
      }
    } catch (const Error& error) {  // the others are verified all the same
      cli::say("landscape: ", error.what());
      worst = 1;
    }
  return worst;
}

}  // namespace topograd
