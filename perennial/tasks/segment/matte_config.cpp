#include "perennial/tasks/segment/matte_config.h"

#include <stdexcept>

#include "perennial/memory/memory.h"

namespace perennial {

OptionTable MatteConfig::table() {
  OptionTable t;
  t.add("task", task, "what the run trains").choices({"segment"});
  t.add("data", data, "a folder: images/ and masks/ of equal stems, or STEM.jpg with STEM.png beside it");
  t.add("weights", weights, "begin from these (a .safetensors file or a run); none: from nothing");
  t.add("mask_threshold", mask_threshold, "foreground is grey above this").range(0, 254);
  t.add("skip_bad", skip_bad, "note and leave out images and masks that cannot be decoded").changeable();
  t.add("hold_out", hold_out, "about one photograph in so many, by its content, is only measured on; 0: none")
      .range(0, 1000000);
  t.add("learner", learner, "of updates: er replays the memory, finetune does not")
      .choices({"er", "finetune"});
  t.add("memory", memory, "what the memory may hold: samples (100) or bytes (20MB)");
  t.add("update.epochs", update_epochs, "on the data of each update").range(1, 100000);
  t.add("update.lr", update_lr, "learning rate there; 0: a quarter of the first, where training ends")
      .range(0, 1);
  train.bind(t);
  t.add("eval.every", eval_every,
        "measure the held-out photographs whenever so many epochs have passed; 0: at "
        "the end only")
      .range(0, 1000000);
  run.bind(t);
  return t;
}

MatteConfig make_matte_config(const Settings& settings) {
  MatteConfig config;
  const OptionTable table = config.table();
  for (const Setting& setting : settings) setting.apply(table);
  if (config.data.empty())
    throw std::invalid_argument("data: name a folder of images and masks (--data DIR)");
  if (!config.weights.empty() || config.train.net == "extremec3") config.train.encoder_epochs = 0;
  if (config.train.size % 32 != 0)
    throw std::invalid_argument("size: expected a multiple of 32, found " +
                                std::to_string(config.train.size));
  MemoryBudget::parse(config.memory);
  return config;
}

}  // namespace perennial
