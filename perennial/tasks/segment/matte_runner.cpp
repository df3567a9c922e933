#include "perennial/tasks/segment/matte_runner.h"

#include <cmath>
#include <stdexcept>

#include "edge/perennial_edge.h"
#include "perennial/base/clock.h"
#include "perennial/base/error.h"

namespace perennial {

void MatteRunner::Close::operator()(pe_model* m) const { pe_close(m); }

MatteRunner::MatteRunner(const std::filesystem::path& model, const MatteOptions& options)
    : path_(model.string()), options_(options), model_(pe_open(path_.c_str())) {
  if (model_ == nullptr) throw Error({"opening the model", path_, "a matte model (.peb)", pe_error()});
  pe_port in{}, out{};
  const bool matte = pe_describe_input(model_.get(), 0, &in) == 0 &&
                     pe_describe_output(model_.get(), 0, &out) == 0 && in.is_image == 1 && out.channels <= 2;
  if (!matte) throw Error({"opening the model", path_, "one that makes mattes of images", "another"});
  if (!(options.smooth >= 0 && options.smooth < 1))
    throw std::invalid_argument("smooth: expected 0 to below 1");
  if (options.every < 1) throw std::invalid_argument("every: expected 1 or more");
}

MatteRunner::~MatteRunner() = default;

void MatteRunner::forget() {
  frames_ = 0;
  before_.clear();
}

void MatteRunner::compute(const Frame& frame) {
  const auto w = static_cast<int32_t>(frame.width), h = static_cast<int32_t>(frame.height);
  const auto check = [this](int code) {
    if (code != 0) throw Error({"making a matte", path_, "an image that the model can take", pe_error()});
  };
  const double begin = steady_seconds();
  check(pe_set_image(model_.get(), 0, frame.rgb.data(), w, h, 3 * static_cast<size_t>(w), 3));
  const double ready = steady_seconds();
  check(pe_run(model_.get()));
  const double done = steady_seconds();
  now_.resize(static_cast<size_t>(w) * static_cast<size_t>(h));
  const auto row = static_cast<size_t>(w);
  check(options_.refine
            ? pe_read_matte_refined(model_.get(), 0, frame.rgb.data(), w, h, 3 * row, 3, now_.data(), row)
            : pe_read_matte(model_.get(), 0, now_.data(), w, h, row));
  seconds_.network += done - ready;
  seconds_.resize += ready - begin + steady_seconds() - done;
}

const std::vector<uint8_t>& MatteRunner::matte(const Frame& frame) {
  const bool same = now_.size() * 3 == frame.rgb.size();
  if (frames_++ % options_.every != 0 && same) return now_;
  compute(frame);
  if (options_.smooth == 0) return now_;
  if (before_.size() != now_.size()) before_.assign(now_.begin(), now_.end());
  const auto keep = static_cast<float>(options_.smooth);
  for (size_t p = 0; p < now_.size(); ++p) {
    before_[p] = keep * before_[p] + (1 - keep) * static_cast<float>(now_[p]);
    now_[p] = static_cast<uint8_t>(std::lround(before_[p]));
  }
  return now_;
}

}  // namespace perennial
