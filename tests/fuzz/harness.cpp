#include "tests/fuzz/harness.h"

#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd::fuzz {

namespace {

namespace fs = std::filesystem;

/// A folder that lasts as long as the process.
class OwnFolder {
 public:
  OwnFolder() {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "topograd-fuzz-XXXXXX")
            .string();
    require(::mkdtemp(name.data()) != nullptr, "no folder can be made at ", name);
    path_ = name;
  }
  ~OwnFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

bool every_way = true;

const std::vector<NamedHarness>& harnesses() {
  static const std::vector<NamedHarness> all = {{"arrays", arrays},
                                                {"checkpoint", checkpoint},
                                                {"directions", directions},
                                                {"hdf5", hdf5},
                                                {"http", http},
                                                {"idx", idx},
                                                {"image", image},
                                                {"json", json},
                                                {"log", log},
                                                {"loss", loss},
                                                {"relief", relief},
                                                {"result", result},
                                                {"surface", surface}};
  return all;
}

void run_harness(Harness harness, std::string_view bytes) {
  try {
    harness(bytes);
  } catch (const Error& error) {
    if (std::strlen(error.what()) == 0) throw std::logic_error("an Error without a text");
  }
}

const std::string& folder() {
  static const OwnFolder own;
  return own.path();
}

std::string file_of(const std::string& name, std::string_view bytes) {
  const std::string path = folder() + "/" + name;
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  require(out.good(), path, " cannot be written");
  return path;
}

uint8_t Source::byte() {
  const std::string_view one = bytes(1);
  return one.empty() ? 0 : static_cast<uint8_t>(one[0]);
}

std::string_view Source::bytes(size_t count) {
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(taken.size());
  return taken;
}

double Source::number() {
  const double odd[] = {kNaN, kInfinity, -kInfinity, 1e308, -1e308, 5e-324, 0, -0.0};
  const int kind = byte();
  if (kind < 8) return odd[kind];
  if (kind < 160) return (kind - 84) / 8.0;
  double value = 0;
  const std::string_view raw = bytes(sizeof value);
  std::memcpy(&value, raw.data(), raw.size());
  return value;
}

}  // namespace topograd::fuzz
