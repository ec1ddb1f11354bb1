// Data sets as folders of images: train/<class>/*.png|jpg and test/<class>/*.png|jpg.
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

/// Returns whether `folder` has a subfolder train or test.
bool is_image_folder(const std::string& folder);

/// Loads all images as decoded_image() does (data/image_file.h). Classes are the subfolders of
/// train, sorted by name; test must have the same. Files whose name does not end in .png, .jpg or
/// .jpeg are ignored. Images are taken in turn from every class, so that the first n are balanced.
/// The normalisation is measured on the training images. Throws Error naming the path for a missing
/// subfolder, a class without images, images of different sizes and an unreadable image.
DataSplits load_image_folder(const std::string& folder);

}  // namespace topograd
