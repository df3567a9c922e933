#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/data/dataset.h"

// One loader per kind of source; callers use load_data.
namespace perennial {

/// The embedded UCI digits (digits.md); every fifth sample is test.
DataSource load_digits();

/// CIFAR-10 or CIFAR-100 in their binary forms. `folder` holds the files, or holds the folder that does.
DataSource load_cifar10(const std::filesystem::path& folder, const DataOptions& options);
DataSource load_cifar100(const std::filesystem::path& folder, const DataOptions& options);

/// The four IDX files of MNIST (or a set in its form), plain or .gz.
DataSource load_mnist(const std::filesystem::path& folder, const DataOptions& options);

/// Folders of images, one per class.
DataSource load_folder(const std::filesystem::path& folder, const DataOptions& options, Progress& progress);

/// A list of images and labels.
DataSource load_csv(const std::filesystem::path& file, const DataOptions& options, Progress& progress);

/// Which of `names` the option `classes` keeps, as rising indices; all when it is empty. A name that does not
/// exist is a std::invalid_argument.
std::vector<int64_t> chosen_classes(const DataOptions& options, const std::vector<std::string>& names);

/// Class names are kept in files that hold UTF-8 alone: others are an Error that names the first by its
/// bytes.
void require_utf8(const std::vector<std::string>& class_names, const std::string& source);

}  // namespace perennial
