// MNIST and the sets that come as its four files: Y. LeCun, C. Cortes, C. Burges, "The MNIST
// database of handwritten digits", 1998; H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", 2017.
// A file in the idx format is four bytes of magic (0, 0, 8 for unsigned bytes, the number of
// dimensions), a big-endian 32-bit number for each dimension, then the bytes: [N, H, W] pixels of
// grey in train-images-idx3-ubyte and t10k-images-idx3-ubyte, [N] labels in train-labels-idx1-ubyte
// and t10k-labels-idx1-ubyte.
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

/// Returns `folder` or its subfolder raw, whichever holds at least one of the files, compressed or
/// not; empty if neither does.
std::string find_idx(const std::string& folder);

/// Loads both splits: one channel, ten classes. A file name's second dash may be a dot
/// ("train-images.idx3-ubyte"). The files do not say which set they are; the first ten training
/// labels do: "mnist" and "fashion_mnist" are named so, with normalisation_named(); any other set
/// is "idx", its normalisation measured on the training images. Throws Error naming the file that
/// is missing, still compressed, of another type or size than it says, with another number of
/// labels than of images or a label above 9.
DataSplits load_idx(const std::string& folder);

}  // namespace topograd
