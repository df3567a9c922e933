#pragma once

#include <cstdint>
#include <string>

namespace perennial {

/// Cosine with warm restarts, T0 = 1, Tmult = 2, eta_min = 0.01 lr (SGDR, Loshchilov and Hutter 2017), in
/// closed form: with s steps taken, c = floor(log2(s+1)), L = 2^c, p = s+1-L, lr(s) = min + (lr-min)(1+cos(pi
/// p/L))/2.
double warm_restarts(double lr, int64_t s);

/// Rainbow Memory's memory phase as released: epoch 0 at 0.1 lr, epoch 1 at lr, then warm_restarts(lr,
/// epoch-1).
double rainbow_warm_restarts(double lr, int64_t epoch);

/// One cosine from lr to zero over `total` steps.
double cosine_to_zero(double lr, int64_t step, int64_t total);

/// Rainbow Memory's other schedule as released: epoch 0 at 0.1 lr, then x0.1 after 30, 60, 80 and 90 epochs
/// at full rate.
double multistep(double lr, int64_t epoch);

/// The learning rate at step `step` (from 0) of epoch `epoch` (from 0) of a phase: `kind` is cosine (per
/// step) | warm_restarts | rainbow_warm_restarts | multistep | constant (per epoch). Throws
/// std::invalid_argument for another kind.
double learning_rate(const std::string& kind, double lr, int64_t epoch, int64_t epochs, int64_t step,
                     int64_t steps_per_epoch);

}  // namespace perennial
