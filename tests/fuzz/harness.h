// Harnesses: what a kind of file is read by, given any bytes.
//
// A harness lets Error through, and nothing else: whatever is wrong with a file is told by one.
// Each is a file fuzz_<name>.cpp, run by libFuzzer (fuzzer.cpp), and on the files of corpus/<name>/
// in every build (test_corpus.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace topograd::fuzz {

using Harness = void(std::string_view bytes);

Harness arrays;      ///< images and labels as arrays of numpy: .npy, .npz, safetensors
Harness checkpoint;  ///< safetensors: networks, and training states to continue from
Harness directions;  ///< HDF5 of directions
Harness hdf5;        ///< HDF5 files of the names that readers know, made from the bytes
Harness http;        ///< requests to landscape watch --serve
Harness idx;         ///< MNIST's files
Harness image;       ///< PNG and JPEG
Harness json;        ///< JSON, and what is kept in it: networks, directions, records
Harness log;         ///< log.csv
Harness loss;        ///< losses and measures as they are named, with class weights
Harness relief;      ///< surfaces of any numbers in three dimensions
Harness result;      ///< results of every kind: HDF5, log.csv, records in JSON
Harness surface;     ///< surfaces of any numbers, drawn and written

struct NamedHarness {
  const char* name;
  Harness* run;
};
/// Whether a harness does all that it can with an input, or, where that would take longer than
/// reading it, one of these things that the input chooses: so libFuzzer tries ten times as many.
/// True; false for libFuzzer.
extern bool every_way;

/// Returns all of them.
const std::vector<NamedHarness>& harnesses();
/// Runs a harness. Throws std::logic_error where an Error has no text; anything but Error goes
/// through.
void run_harness(Harness harness, std::string_view bytes);

/// Returns a file of this name with these bytes, in a folder of the process's own in memory.
std::string file_of(const std::string& name, std::string_view bytes);
/// Returns that folder.
const std::string& folder();

/// Bytes taken as what is needed; zeros once they are used up.
class Source {
 public:
  explicit Source(std::string_view bytes) : bytes_(bytes) {}
  bool ended() const { return bytes_.empty(); }
  uint8_t byte();
  /// Returns a whole number of [0, count).
  int64_t below(int64_t count) { return byte() % count; }
  /// Returns a number of any size, among them NaN, infinities and whole ones.
  double number();
  std::string_view bytes(size_t count);
  std::string_view rest() { return bytes(bytes_.size()); }

 private:
  std::string_view bytes_;
};

}  // namespace topograd::fuzz
