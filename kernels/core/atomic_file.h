// Files that are either whole or not there: no half-written file is left behind.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace topograd {

/// Calls write(temporary) with a new file beside `path` (path + ".tmp." + 16 random digits), then
/// flushes what it wrote to the disk and renames it to `path`, so that a reader or a crash sees the
/// old file or the new one and never a mixture. Links are followed to the file that they name; the
/// new file has the old one's mode and, where that is allowed, its owner. A device, a pipe or a
/// socket is written in place, once `write` has succeeded.
///
/// The file is claimed meanwhile (OutputClaim), if the caller has not claimed it for longer. If
/// another program has replaced it since it was claimed, that file stays, and what was written is
/// kept beside it.
///
/// Throws Error "cannot write PATH: REASON" and removes the temporary file when `write` throws
/// (REASON is its message), when it writes nothing, or when a system call fails (full disk, missing
/// folder, no permission; REASON is the system's text). An old file at `path` is then untouched.
void write_file_atomically(const std::string& path,
                           const std::function<void(const std::string& temporary)>& write);

/// Writes contents that are in memory already, in the same way.
void write_file_atomically(const std::string& path, std::string_view contents);

/// Writes `parts` one after the other to `path`, not atomically: for use inside the `write` above.
/// Throws Error with the system's text alone ("No space left on device").
void write_bytes(const std::string& path, const std::vector<std::string_view>& parts);
void write_bytes(const std::string& path, std::string_view contents);

}  // namespace topograd
