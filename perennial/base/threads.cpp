#include "perennial/base/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "perennial/base/context.h"

namespace perennial {
namespace {

thread_local bool inside_piece = false;

}  // namespace

class ThreadPool::Workers {
 public:
  ~Workers() { resize(1); }

  void resize(int threads) {
    const std::lock_guard<std::mutex> one_caller(callers_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    workers_.clear();
    stopping_ = false;
    threads_ = std::max(1, threads);
    for (int i = 1; i < threads_; ++i) workers_.emplace_back([this, seen = generation_] { work(seen); });
  }

  int size() const { return threads_; }

  void run(int64_t count, int64_t piece, const std::function<void(int64_t, int64_t)>& body) {
    const std::lock_guard<std::mutex> one_caller(callers_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body, count_ = count, piece_ = piece, next_ = 0, error_ = nullptr;
      busy_ = static_cast<int>(workers_.size());
      ++generation_;
    }
    wake_.notify_all();
    take_pieces();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(uint64_t seen) {
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
      }
      take_pieces();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void take_pieces() {
    inside_piece = true;
    for (int64_t begin = next_.fetch_add(piece_); begin < count_; begin = next_.fetch_add(piece_)) {
      try {
        (*body_)(begin, std::min(begin + piece_, count_));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = count_;
      }
    }
    inside_piece = false;
  }

  std::mutex callers_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::jthread> workers_;
  std::atomic<int> threads_ = 1;
  bool stopping_ = false;
  uint64_t generation_ = 0;
  int busy_ = 0;
  const std::function<void(int64_t, int64_t)>* body_ = nullptr;
  int64_t count_ = 0, piece_ = 1;
  std::atomic<int64_t> next_{0};
  std::exception_ptr error_;
};

ThreadPool::ThreadPool() : workers_(std::make_unique<Workers>()) {}
ThreadPool::~ThreadPool() = default;
void ThreadPool::resize(int threads) { workers_->resize(threads); }
int ThreadPool::size() const { return workers_->size(); }
void ThreadPool::run(int64_t count, int64_t piece, const std::function<void(int64_t, int64_t)>& body) {
  workers_->run(count, piece, body);
}

void set_thread_count(int threads) { Context::current().threads.resize(threads); }
int thread_count() { return Context::current().threads.size(); }

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(1, grain);
  if (inside_piece || count <= grain) return body(0, count);
  Context& context = Context::current();
  const int threads = context.threads.size();
  if (threads == 1) return body(0, count);
  // Four pieces a thread even out unequal work.
  const int64_t pieces = std::min<int64_t>(4L * threads, (count + grain - 1) / grain);
  context.threads.run(count, std::max(grain, (count + pieces - 1) / pieces), [&](int64_t begin, int64_t end) {
    const Context::Use use(context);
    body(begin, end);
  });
}

}  // namespace perennial
