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

std::deque<Method> builtin_methods();

}  // namespace perennial
