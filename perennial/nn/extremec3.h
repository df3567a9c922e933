#pragma once

#include <memory>

#include "perennial/nn/sinet.h"

namespace perennial {

/// ExtremeC3Net (Park, Sjoesund, Yoo, Bang, Kwak: "ExtremeC3Net: Extreme Lightweight Portrait Segmentation
/// Networks using Advanced C3-modules", arXiv 1908.03093), with the tensor names of its published portrait
/// weights. The structure is a reconstruction from these: shapes and names give the layers, the running
/// statistics of its normalisations the order of every concatenation, their eps and where a map is made
/// smaller; the multiply-adds come to the published 0.128 G. Not to be told from the weights, and therefore
/// ours: the image that joins the maps is averaged over 3x3 (2x2 scores the same), enlargements align
/// corners.
std::unique_ptr<Sinet> make_extremec3(const SinetOptions& options, uint64_t seed);

}  // namespace perennial
