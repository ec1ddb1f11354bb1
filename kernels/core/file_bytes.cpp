#include "kernels/core/file_bytes.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"

namespace topograd {

std::vector<char> file_bytes(const std::string& path, std::string_view advice) {
  require(std::filesystem::exists(path), path, " is missing", advice);
  require(std::filesystem::is_regular_file(path), path, " is no file", advice);
  note_input(path);
  std::ifstream in(path, std::ios::binary);
  require(in.is_open(), path, " cannot be opened: ", std::strerror(errno));
  std::vector<char> bytes(static_cast<size_t>(std::filesystem::file_size(path)));
  require(static_cast<bool>(in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))),
          path, " cannot be read to its end: the disk fails, or the file changes");
  return bytes;
}

}  // namespace topograd
