// CIFAR-10, binary version: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009. Six files of 10,000 records: one byte of label, then 3 x 32 x 32 bytes of pixels,
// planar (all red, all green, all blue).
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

/// `folder` or its subfolder cifar-10-batches-bin, whichever holds at least one of the files; empty
/// where neither does. CIFAR-10's Python version is an Error that says where to get the binary one.
std::string find_cifar10(const std::string& folder);

/// All 50,000 + 10,000 images, in the order of the files. A file that is missing, of another size
/// or with a label above 9 is an Error.
DataSplits load_cifar10(const std::string& folder);

}  // namespace topograd
