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

/// Returns where a set lies: what stands before the names of its files, "folder/" or, of a set with
/// a name of its own, "folder/emnist-letters-". The source is the folder that holds the files
/// (compressed or not), or whose subfolder raw does, or a subfolder's of it (torchvision's root);
/// or the files' names without "-train-images-idx3-ubyte". Empty where there is none. Throws Error,
/// which lists them, where there are several.
std::string find_idx(const std::string& source);

/// Loads both splits of the set that find_idx() found: one channel. The test split's files begin
/// with t10k or test; a name's last dash but one may be a dot ("train-images.idx3-ubyte"). Files
/// without a prefix do not say which set they are; the first ten training labels do: "mnist" and
/// "fashion_mnist" are named so, with normalisation_named(). "emnist_letters" and its like are
/// EMNIST's, turned upright. Any other set is "idx", with as many classes as its largest training
/// label says. Normalisation is measured on the training images. Throws Error naming the file that
/// is missing, still compressed, of another type or size than it says, with another number of
/// labels than of images or a label that the set does not have.
DataSplits load_idx(const std::string& stem);

}  // namespace topograd
