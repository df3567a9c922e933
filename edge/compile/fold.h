#pragma once

#include "edge/compile/graph.h"

namespace perennial::edge {

/// Rewrites the graph so that nothing is left that a convolution can do on the way, exactly:
///  1. what works channel by channel on a concatenation works on its parts (normalisation, activation,
///  residual sum);
///  2. normalisation folds into the convolution before it, also through a bilinear resize (its weights sum to
///  one)
///     and through a residual sum (the skip is scaled instead);
///  3. a channel shuffle becomes the order in which a grouped 1x1 convolution writes;
///  4. a concatenation of concatenations becomes one.
/// Nodes that nobody reads any more are left without inputs.
void fold(Graph& graph);

/// What of this other runtimes can run too: normalisation goes into the convolution before it, also through a
/// concatenation and a bilinear resize.
void fold_norms(Graph& graph);

/// The nodes that are read, each behind those that it reads.
std::vector<int> order(const Graph& graph);

/// How many read each node (outputs count).
std::vector<int> readers(const Graph& graph);

}  // namespace perennial::edge
