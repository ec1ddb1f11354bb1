// The version of this build.
#pragma once

namespace topograd {

/// Returns the version in semver.org's form: "0.1.0".
const char* version();

}  // namespace topograd
