// Data sets as arrays of numpy.
//   images  x_train, x_test (or train_images, test_images): uint8 pixels from 0 to 255, or floating
//           point; [N, H, W, C], [N, C, H, W] or [N, H, W]
//   labels  y_train, y_test (or train_labels, test_labels): classes, whole numbers [N] or [N, 1] from
//           0; or numbers to come close to or several labels an image, [N, outputs], or [N] of others
//           than whole numbers from 0. [N, 1] of floating point is numbers.
// in one file .npz or .safetensors, or each in a file of its own name, .npy, in one folder.
#pragma once

#include <map>
#include <string>

#include "data/dataset.h"
#include "data/npy.h"

namespace topograd {

/// Returns the file or folder with such arrays that `source` is, or an empty text.
std::string find_arrays(const std::string& source);

/// Loads both splits. Pixels in uint8 stay bytes, normalised by what is measured on the training
/// images; numbers become f32, as they are. The axis of channels is the one of the two outer ones that differs from the other
/// two or is the smaller. Throws one Error that names the file and the array: missing, damaged, of
/// another type or rank, numbers that are not finite, axes that leave a doubt.
DataSplits load_arrays(const std::string& found);

/// Returns the data set of arrays in memory, which have the names above; without x_test it has no
/// test images. There are at least so many `classes`. Throws Error as load_arrays() does.
DataSplits data_of_arrays(const std::map<std::string, NumpyArray>& arrays, int64_t classes = 0);

}  // namespace topograd
