// ZIP archives (PKWARE's APPNOTE 6.3, stored entries only), the container of .npz.
#pragma once

#include <string>
#include <vector>

namespace topograd {

struct ZipEntry {
  std::string name;  ///< UTF-8
  std::string contents;
};

/// Returns the archive of the entries, uncompressed, all dated 1980-01-01: equal entries give equal
/// bytes. Throws Error for an archive of 4 GiB or 65,535 entries or more, which would need ZIP64.
std::string zip_archive(const std::vector<ZipEntry>& entries);

}  // namespace topograd
