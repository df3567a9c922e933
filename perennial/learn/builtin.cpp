#include "perennial/learn/builtin.h"

namespace perennial {

std::deque<Method> builtin_methods() {
  return {finetune_method(), er_method(), ewc_method(),       gdumb_method(),
          joint_method(),    rm_method(), rm_offline_method()};
}

}  // namespace perennial
