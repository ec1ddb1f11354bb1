#include "landscape/results/record_json.h"
#include "landscape/results/training_log.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void log(std::string_view bytes) {
  const std::string path = file_of("log.csv", bytes);
  const std::vector<EpochReport> epochs = read_training_log(path);
  const Record record = record_of(epochs);
  json_of(record);
  record.columns();
  TrainingLog(path, static_cast<int64_t>(epochs.size()));  // as a training that goes on does
}

}  // namespace topograd::fuzz
