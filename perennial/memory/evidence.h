#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "perennial/data/samples.h"

namespace perennial {

/// What may be asked of candidates; a policy or strategy says which of it it needs.
enum class Fact {
  kFeatures,       ///< features()
  kProbabilities,  ///< logits(), probabilities()
  kLosses,         ///< losses()
  kGradients,      ///< gradients(), head_weight()
  kCrops,          ///< crop_losses()
  kViews,          ///< votes(), uncertainty(): from perturbed views, which not every learner has
  kPasses,         ///< passes()
};

/// All that any network tells of samples.
inline const std::vector<Fact> kPlainFacts{Fact::kFeatures,  Fact::kProbabilities, Fact::kLosses,
                                           Fact::kGradients, Fact::kCrops,         Fact::kPasses};

/// std::invalid_argument when `who` ("the memory policy 'rainbow'") needs to know what is not among `known`.
void require_facts(const std::string& who, std::span<const Fact> needs, std::span<const Fact> known);

/// The gradient of each sample's loss by the weight of the last layer, in two factors: sample i's is the
/// outer product of residual[i] and feature[i], [classes, D], and is never made.
struct FactorisedGradients {
  at::Tensor residual;  ///< float [N, classes]: p - onehot(y)
  at::Tensor feature;   ///< float [N, D]

  /// <g_i, h_j> for each pair of one of these and one of `others`: [N, M].
  at::Tensor products(const FactorisedGradients& others) const;
  /// |g_i|: [N].
  at::Tensor norms() const;
};

/// What can be known of candidates: each thing is found out when it is first asked for, and then kept. One
/// thread at a time. What the learner cannot tell is a std::logic_error, and so is asking for anything once
/// it has learned on: what was true of an earlier network is never given out.
class Evidence {
 public:
  virtual ~Evidence() = default;

  virtual const Samples& samples() const = 0;
  /// Classes that the learner knows: |C|, and the columns of what follows.
  virtual int64_t classes() const = 0;
  /// Of each column its label.
  virtual std::vector<int64_t> labels() const;
  /// Those of them of which samples have arrived: what a class's share of a memory goes by.
  virtual int64_t classes_met() const { return classes(); }

  /// int64 [N]: of each label, its column; of a sample without one, the most probable.
  const at::Tensor& rows();
  const at::Tensor& features();       ///< float [N, D]
  const at::Tensor& logits();         ///< float [N, classes]
  const at::Tensor& probabilities();  ///< float [N, classes]
  const at::Tensor& losses();         ///< float [N]: cross-entropy to rows()
  /// float [N]: cross-entropy to rows() averaged over five crops (of vectors: five views with dropout).
  const at::Tensor& crop_losses();
  const FactorisedGradients& gradients();
  /// float [classes, D]: the last layer's.
  const at::Tensor& head_weight();
  /// uint8 [N, classes]: how many perturbed views of a sample each class was the most probable of.
  const at::Tensor& votes();
  /// [N], in [0, 1): by how much the perturbed views disagree.
  const std::vector<float>& uncertainty();
  /// float [count, N, classes]: probabilities of so many passes, in each of which this share of a sample's
  /// features is dropped. Found out anew with every call.
  at::Tensor passes(int64_t count, double share);
  /// The learner's loss in the last step that it took, whatever that was on; NaN where there was none.
  virtual double training_loss() const { return std::numeric_limits<double>::quiet_NaN(); }

 protected:
  /// Throws std::logic_error when what would be found out now is of another network than what was before.
  virtual void require_current() const {}
  virtual at::Tensor make_rows();
  virtual at::Tensor make_features();
  virtual at::Tensor make_logits();
  virtual at::Tensor make_head_weight();
  virtual at::Tensor make_votes();
  virtual at::Tensor make_crop_losses();
  virtual at::Tensor make_passes(int64_t count, double share);
  virtual std::vector<float> make_uncertainty();
  bool has_features() const { return features_.defined(); }

 private:
  template <class Make>
  const at::Tensor& once(at::Tensor& kept, const Make& make);

  at::Tensor rows_, features_, logits_, probabilities_, losses_, crop_losses_, head_weight_, votes_;
  std::optional<FactorisedGradients> gradients_;
  std::optional<std::vector<float>> uncertainty_;
};

/// What a learner is asked with: evidence about these samples, which may not change as long as it is used.
using AskEvidence = std::function<std::unique_ptr<Evidence>(const Samples& samples)>;

}  // namespace perennial
