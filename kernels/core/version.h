// The version of this build.
#pragma once

namespace topograd {

/// The version as semver.org has it: "0.1.0".
const char* version();

}  // namespace topograd
