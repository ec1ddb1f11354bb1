// Names of kernels. They are functions of unnamed namespaces, which the dynamic linker's table leaves
// out; the program file's own table has them.
#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "kernels/core/check.h"
#include "tests/mock_cuda/mock_cuda.h"

namespace topograd::mock_cuda {

namespace {

using Names = std::map<uintptr_t, std::string>;  // by offset in the program

template <class T>
T read_at(const std::string& file, size_t offset) {
  T value{};
  if (offset + sizeof value <= file.size()) std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

/// Returns the functions in the program's table of symbols (ELF's .symtab).
Names read_names() {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  Names names;
  const auto header = read_at<ElfW(Ehdr)>(file, 0);
  const auto section = [&](size_t i) {
    return read_at<ElfW(Shdr)>(file, header.e_shoff + i * sizeof(ElfW(Shdr)));
  };
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const auto table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const size_t words = section(table.sh_link).sh_offset;
    for (size_t at = 0; at + sizeof(ElfW(Sym)) <= table.sh_size; at += sizeof(ElfW(Sym))) {
      const auto symbol = read_at<ElfW(Sym)>(file, table.sh_offset + at);
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_name < file.size() - words)
        names[symbol.st_value] = file.data() + words + symbol.st_name;
    }
  }
  return names;
}

/// Returns where the program was loaded: the first object that the dynamic linker tells of.
uintptr_t load_address() {
  uintptr_t address = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &address);
  return address;
}

/// Cuts namespaces and parameters away: "void a::(anonymous namespace)::f<b::C, 16>(float*)" becomes
/// "f".
std::string short_name(std::string name) {
  const std::string unnamed = "(anonymous namespace)::";
  for (size_t at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed))
    name.erase(at, unnamed.size());
  name = name.substr(0, name.find_first_of("<("));
  return name.substr(name.find_last_of(" :") + 1);
}

}  // namespace

std::string kernel_name(const void* function) {
  static const Names names = read_names();
  const auto address = reinterpret_cast<uintptr_t>(function);
  const auto found = names.find(address - load_address());
  if (found == names.end()) return text(function);
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(found->second.c_str(), nullptr, nullptr, &status), std::free);
  return short_name(status == 0 ? demangled.get() : found->second);
}

}  // namespace topograd::mock_cuda
