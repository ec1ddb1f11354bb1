#include "landscape/kinds/result_folder.h"

#include <algorithm>
#include <filesystem>

#include "kernels/core/check.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/results/hdf5_file.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

bool holds_directions(const std::string& path) {
  if (!path.ends_with(".h5")) return false;
  try {
    const Hdf5File file = Hdf5File::open_read(path, Hdf5File::Checksum::leave);
    return file.has("xdirection") && !is_result(path);
  } catch (const Error&) {
    return false;  // its reader says what is wrong with it
  }
}

}  // namespace

bool is_result(const std::string& path) {
  try {
    kind_of_result(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> results_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".h5" && ending != ".json" && entry.path().filename() != "log.csv") continue;
    if (entry.is_regular_file() && is_result(entry.path().string()))
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

NamedResults named_results(const std::vector<std::string>& words) {
  NamedResults named;
  for (const std::string& word : words) {
    if (fs::is_directory(word)) {
      const std::vector<std::string> found = results_in(word);
      require(!found.empty(), word,
              " holds no results: landscape surface and its like write them there, and train a "
              "log.csv");
      named.files.insert(named.files.end(), found.begin(), found.end());
    } else if (words.size() > 1 && holds_directions(word)) {
      named.left_out.push_back(word);
    } else {
      named.files.push_back(word);
    }
  }
  require(!named.files.empty(),
          "nothing but directions is named; results are what surface, "
          "hessian and their like write");
  return named;
}

Completeness completeness(const Record& record) {
  Completeness found;
  for (const NamedArray& array : record.arrays) {
    if (array.type != NamedArray::Type::mask) continue;
    found.all += static_cast<int64_t>(array.numbers.size());
    found.done += std::count(array.numbers.begin(), array.numbers.end(), 1.0);
  }
  return found;
}

}  // namespace topograd
