// CIFAR-10 and CIFAR-100, binary versions: A. Krizhevsky, "Learning Multiple Layers of Features
// from Tiny Images", 2009. Files of records: labels of one byte each, then 3 x 32 x 32 bytes of
// pixels, planar (all red, all green, all blue). CIFAR-10 has one label, in six files of 10,000
// records; CIFAR-100 has two, the class's superclass and the class, in two files of 50,000 and
// 10,000.
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

/// Returns `folder` or its subfolder cifar-10-batches-bin, whichever holds at least one of the
/// files; empty if neither does. Throws Error, saying where to get the binary version, for
/// CIFAR-10's Python version.
std::string find_cifar10(const std::string& folder);
/// Returns the same for CIFAR-100, whose subfolder is cifar-100-binary.
std::string find_cifar100(const std::string& folder);

/// Loads all 50,000 + 10,000 images, in the order of the files. Throws Error for a file that is
/// missing, of another size or with a label above 9.
DataSplits load_cifar10(const std::string& folder);
/// Loads all 50,000 + 10,000 images with the 100 classes (not the 20 superclasses) as labels. Class
/// names are those of fine_label_names.txt, or "class 0" and so on without that file. Throws Error
/// for a file that is missing, of another size or with a label above 99.
DataSplits load_cifar100(const std::string& folder);

}  // namespace topograd
