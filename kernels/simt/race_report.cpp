#include "kernels/simt/race_report.h"

#include <link.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "kernels/core/check.h"
#include "kernels/simt/runtime.h"
#include "kernels/simt/runtime_internal.h"

extern char __executable_start;  // from the linker

namespace topograd::simt::emulator {

namespace {

constexpr size_t kMaxFindings = 4;  // further ones are counted

uintptr_t program_start() {
  return reinterpret_cast<uintptr_t>(&__executable_start);
}

/// Returns by how much the program was moved when it was loaded.
uintptr_t load_bias() {
  uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the program itself comes first
      },
      &bias);
  return bias;
}

/// Whether a line belongs to what kernels are written with, rather than to a kernel.
bool is_library(const std::string& path) {
  return path.find("/kernels/simt/") != std::string::npos ||
         path.find("/include/c++/") != std::string::npos;
}

/// Returns "file.cu:12", found by addr2line (binutils) in the program's debug information: the
/// innermost inlined function that is not the emulator's.
std::string line_of(CodeOffset offset) {
  const uintptr_t address = program_start() + offset - load_bias();
  char command[128];
  std::snprintf(command, sizeof command, "addr2line -i -e /proc/%d/exe 0x%zx 2>/dev/null",
                static_cast<int>(getpid()), static_cast<size_t>(address));
  std::string result;
  FILE* lines = popen(command, "r");
  if (!lines) return "?";
  char line[4096];
  while (std::fgets(line, sizeof line, lines)) {
    line[std::strcspn(line, " \n")] = '\0';  // a discriminator may follow
    if (result.empty() || is_library(result)) result = line;
  }
  pclose(lines);
  return result.empty() ? text("+0x", std::hex, offset) : file_name(result.c_str());
}

std::string in_words(const Party& party) {
  const std::string who = party.thread == Party::kSeveralThreads ? std::string("several threads")
                                                                 : text("thread ", party.thread);
  return text(who, party.other_block ? " of another block" : "", " at ", line_of(party.at));
}

std::string in_words(const Spot& spot) {
  const auto memory = [&](Space space) {
    return text(
        space == Space::global ? "global memory, an allocation of " : "dynamic shared memory of ",
        spot.bytes, " bytes");
  };
  if (spot.space == Space::static_shared) return "static shared memory";
  if (spot.space != Space::elsewhere)
    return text("byte ", spot.address - spot.base, " of ", memory(spot.space));
  if (spot.near != Space::elsewhere)
    return text(spot.address - spot.base - spot.bytes, " bytes past the end of ",
                memory(spot.near));
  return text("address 0x", std::hex, spot.address);
}

}  // namespace

CodeOffset code_offset(const void* return_address) {
  // One byte back: a return address may already belong to the next line.
  return static_cast<CodeOffset>(reinterpret_cast<uintptr_t>(return_address) - program_start() - 1);
}

void Report::add(const char* kind, const Party& culprit, const char* does, const Party& other,
                 const Spot& spot) {
  if (!seen_.insert({culprit.at, other.at}).second) return;
  if (seen_.size() <= kMaxFindings)
    findings_.push_back({kind, does, culprit, other, spot, blockIdx});
}

std::string Report::describe(const Finding& f) {
  std::string words = text(f.kind, ": ", in_words(f.culprit), ' ', f.does);
  if (f.other.thread != Party::kNobody) words += text(' ', in_words(f.other));
  return text(words, " (block ", f.block.x, ',', f.block.y, ',', f.block.z, "; ", in_words(f.spot),
              ')');
}

std::string Report::take() {
  std::string line;
  for (const Finding& finding : findings_) line += (line.empty() ? "" : "; ") + describe(finding);
  if (seen_.size() > findings_.size())
    line += text("; and ", seen_.size() - findings_.size(), " more");
  findings_.clear();
  seen_.clear();
  return line;
}

}  // namespace topograd::simt::emulator
