#pragma once

#include <deque>

#include "perennial/learn/method.h"

namespace perennial {

Method finetune_method();
Method er_method();
Method ewc_method();
Method gdumb_method();
Method joint_method();
Method rm_method();
Method rm_offline_method();
Method puridiver_method();
Method er_ace_method();
Method derpp_method();
Method mir_method();
Method gss_method();
Method aser_method();
Method agem_method();
Method clib_method();
Method icarl_method();
Method bic_method();
Method rwalk_method();
Method lwf_method();
Method evergreen_method();

std::deque<Method> builtin_methods();

}  // namespace perennial
