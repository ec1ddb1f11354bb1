// A run's log.csv, read back.
#include "landscape/results/training_log.h"

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("training log: what was appended comes back") {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.csv");
  TrainingLog log(path, 0);
  for (int64_t epoch : {1, 2})
    log.append({.epoch = epoch,
                .learning_rate = 0.1,
                .train_loss = 2.5,
                .train_accuracy = 12.5,
                .test_loss = 2.25,
                .test_accuracy = 25,
                .images_per_second = 100,
                .seconds = 3.5,
                .gradient_norm = 1.5,
                .weight_norm = 42.5});
  const std::vector<EpochReport> epochs = read_training_log(path);
  REQUIRE(epochs.size() == 2);
  CHECK(epochs[1].epoch == 2);
  CHECK(epochs[1].learning_rate == 0.1);
  CHECK(epochs[1].train_loss == 2.5);
  CHECK(epochs[1].train_accuracy == 12.5);
  CHECK(epochs[1].test_loss == 2.25);
  CHECK(epochs[1].test_accuracy == 25);
  CHECK(epochs[1].images_per_second == 100);
  CHECK(epochs[1].seconds == 3.5);
  CHECK(epochs[1].gradient_norm == 1.5);
  CHECK(epochs[1].weight_norm == 42.5);
}

TEST_CASE("training log: other files, and rows that were cut off, are refused by their line") {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.csv");
  const auto error = [&](const std::string& contents) {
    folder.write("log.csv", contents);
    return error_of([&] { read_training_log(path); });
  };
  const std::string header =
      "epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,images_per_second,"
      "seconds,gradient_norm,weight_norm\n";
  CHECK(error(header) == "no error");
  CHECK(error(header + "1,0.1,2,10,2,10,1,1,1,1\n2,0.1,2,10,2\n").find(":3 has 5 values") !=
        std::string::npos);
  CHECK(error(header + "1,0.1,x,10,2,10,1,1,1,1\n") == path + ":2: 'x' is not a number");
  CHECK(error(header + "2,0.1,2,10,2,10,1,1,1,1\n1,0.1,2,10,2,10,1,1,1,1\n").find(":3:") !=
        std::string::npos);
  CHECK(error("a,b\n").find("is not a training's log.csv") != std::string::npos);
}
