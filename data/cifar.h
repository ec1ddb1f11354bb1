// CIFAR-10 and CIFAR-100, binary versions: A. Krizhevsky, "Learning Multiple Layers of Features
// from Tiny Images", 2009. Files of records: labels of one byte each, then 3 x 32 x 32 bytes of
// pixels, planar (all red, all green, all blue). CIFAR-10 has one label, in six files of 10,000
// records; CIFAR-100 has two, the class's superclass and the class, in two files of 50,000 and
// 10,000.
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

/// `folder` or its subfolder cifar-10-batches-bin, whichever holds at least one of the files; empty
/// where neither does. CIFAR-10's Python version is an Error that says where to get the binary one.
std::string find_cifar10(const std::string& folder);
/// Likewise, with the subfolder cifar-100-binary.
std::string find_cifar100(const std::string& folder);

/// All 50,000 + 10,000 images, in the order of the files. A file that is missing, of another size
/// or with a label above 9 is an Error.
DataSplits load_cifar10(const std::string& folder);
/// Likewise, with the 100 classes (not the 20 superclasses) as labels. Their names are those of
/// fine_label_names.txt, or "class 0" and so on where there is no such file.
DataSplits load_cifar100(const std::string& folder);

}  // namespace topograd
