#pragma once

#include <utility>
#include <vector>

#include "perennial/memory/evidence.h"

namespace perennial {

/// Evidence that a test tells: what is left undefined cannot be told.
struct Told : Evidence {
  Told(Samples of, int64_t known) : samples_(std::move(of)), classes_(known) {}
  const Samples& samples() const override { return samples_; }
  int64_t classes() const override { return classes_; }

  at::Tensor features_told, logits_told, head_weight_told;
  std::vector<float> uncertainty_told;
  int asked = 0;                 ///< how often anything had to be found out
  bool learned = false;          ///< true: the learner has learned on
  int64_t* rows_seen = nullptr;  ///< counts the samples whose features were found out
  double loss_told = 1;          ///< of the last step

  double training_loss() const override { return loss_told; }

 protected:
  void require_current() const override {
    if (learned) throw std::logic_error("of an earlier network");
  }
  at::Tensor make_rows() override { return samples_.tensor(column::kLabel); }
  at::Tensor make_features() override {
    ++asked;
    if (rows_seen != nullptr) *rows_seen += samples_.size();
    return features_told.defined() ? features_told : Evidence::make_features();
  }
  at::Tensor make_logits() override {
    ++asked;
    return logits_told.defined() ? logits_told : Evidence::make_logits();
  }
  at::Tensor make_head_weight() override {
    return head_weight_told.defined() ? head_weight_told : Evidence::make_head_weight();
  }
  at::Tensor make_crop_losses() override { return losses(); }
  std::vector<float> make_uncertainty() override {
    ++asked;
    return uncertainty_told.empty() ? Evidence::make_uncertainty() : uncertainty_told;
  }

 private:
  Samples samples_;
  int64_t classes_;
};

}  // namespace perennial
