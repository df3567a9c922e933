#include "perennial/learn/robust.h"

#include <fmt/format.h>

#include "perennial/base/log.h"
#include "perennial/base/options.h"
#include "perennial/base/text.h"
#include "perennial/learn/robust_kinds.h"
#include "perennial/learn/trainer.h"

namespace perennial {

std::vector<std::string> robust_names() { return {"none", "selfie", "coteaching", "dividemix", "puridiver"}; }

void RobustOptions::bind(OptionTable& table) {
  table.add("robust", name, "how epochs over a memory with wrong labels are trained").choices(robust_names());
  table
      .add("robust.warmup", warmup,
           "epochs of each consolidation that are trained plainly before robust ones")
      .range(0, 100000);
  table
      .add("puridiver.swap", swap,
           "relabel the noisy samples that the network is unsure of and leave those it is sure of without a "
           "label: the released code's way round, not the paper's")
      .released("true");
  table
      .add("puridiver.raw_posterior", raw_posterior,
           "weigh relabelled samples by the posterior of either Gaussian, as the fit happens to order them")
      .released("true");
  table
      .add("selfie.history", selfie_history,
           "predictions in a row that must agree before they take the label's place")
      .range(1, 1000);
  table.add("coteaching.rate", coteaching_rate, "share of wrong labels that is believed in (the paper's tau)")
      .range(0, 0.95)
      .released("0");
  table.add("coteaching.epochs", coteaching_epochs, "robust epochs over which that share is reached")
      .range(1, 100000);
  table.add("dividemix.temperature", dividemix_temperature, "of sharpened guesses").range(0.01, 10);
  table.add("dividemix.alpha", dividemix_alpha, "of mixup: Beta(alpha, alpha), a whole number").range(1, 64);
  table.add("dividemix.weight", dividemix_weight, "of samples without a label, once it is reached")
      .range(0, 1e6);
  table.add("dividemix.ramp", dividemix_ramp, "robust epochs over which that weight is reached")
      .range(1, 100000);
  table.add("dividemix.asymmetric", dividemix_asymmetric,
            "asymmetric noise: warm up with a penalty on confidence");
  table.add(
      "dividemix.both", dividemix_both,
      "predict with the mean of both networks, as the paper does; the model that is saved is the first");
}

std::unique_ptr<RobustTraining> make_robust(const LearnerSetup& setup, const TrainerParts& parts) {
  const std::string& name = setup.train.robust.name;
  if (name == "none") return nullptr;
  if (setup.train.robust.warmup >= setup.train.epochs)
    log_warning(fmt::format("robust = {}: all {} epochs are warm-up (robust.warmup = {}), none is robust",
                            name, setup.train.epochs, setup.train.robust.warmup));
  if (name == "selfie") return make_selfie(setup);
  if (name == "coteaching") return make_coteaching(setup, parts);
  if (name == "dividemix") return make_dividemix(setup, parts);
  require_known("robust", name, robust_names());
  return make_puridiver(setup);
}

}  // namespace perennial
