#include "perennial/learn/builtin.h"

namespace perennial {

std::deque<Method> builtin_methods() {
  return {finetune_method(), er_method(),         ewc_method(),       gdumb_method(),  joint_method(),
          rm_method(),       rm_offline_method(), puridiver_method(), er_ace_method(), derpp_method(),
          mir_method(),      gss_method(),        aser_method(),      agem_method(),   clib_method(),
          icarl_method(),    bic_method(),        rwalk_method(),     lwf_method(),    evergreen_method()};
}

}  // namespace perennial
