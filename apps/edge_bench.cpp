#include "apps/edge_bench.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "edge/engine.h"
#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/text.h"

namespace perennial::apps {
namespace {

using nlohmann::json;

struct Arguments {
  std::string model, instructions = edge::best_kernels().name;
  int64_t threads = 1, runs = 300;
  bool as_json = false, layers = false;
};

const edge::Kernels& kernels_of(const std::string& instructions) {
  const auto all = edge::all_kernels();
  return **std::find_if(all.begin(), all.end(), [&](const auto* k) { return k->name == instructions; });
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const edge::Kernels* k : edge::all_kernels()) names.emplace_back(k->name);
  return names;
}

double quantile(std::vector<double> values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

// What operations do, and how long they took.
struct Work {
  double us = 0, multiply_adds = 0, bytes = 0;
  int count = 1;

  Work& operator+=(const Work& other) {
    us += other.us, multiply_adds += other.multiply_adds, bytes += other.bytes, count += other.count;
    return *this;
  }
};

// Multiply-adds of an operation, and the bytes of the planes that it reads and writes.
Work work(const edge::Model& m, const edge::OpRecord& op, double us) {
  const auto& in = m.tensors()[op.input];
  const auto& out = m.tensors()[op.output];
  const double outputs = 1.0 * out.channels * out.height * out.width,
               inputs = 1.0 * in.channels * in.height * in.width;
  const double taps = 1.0 * op.kernel_h * op.kernel_w;
  using enum edge::OpKind;
  double macs = 0;
  if (op.kind == kPointwise || op.kind == kDense) macs = outputs * in.channels / op.groups;
  if (op.kind == kDepthwise) macs = outputs * taps;
  if (op.kind == kConvolution) macs = outputs * taps * in.channels;
  return {us, macs, 4 * (inputs + outputs * (op.skip == edge::kNoTensor ? 1 : 2))};
}

// What one core does at most, each measured: multiply-adds in registers, a copy within its second cache.
struct Roof {
  double gflops = 0, gbytes = 0;

  explicit Roof(const edge::Kernels& kernels) {
    std::vector<float> from(1 << 16), to(from.size());
    for (int i = 0; i < 50; ++i) {
      double begin = thread_seconds();
      const double macs = kernels.only_multiply_adds(10000, to.data());
      gflops = std::max(gflops, 2e-9 * macs / (thread_seconds() - begin));
      begin = steady_seconds();  // the other clock takes too long to read for so short a time
      std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
      from[static_cast<size_t>(i)] = to[0];
      gbytes = std::max(gbytes,
                        2e-9 * static_cast<double>(from.size() * sizeof(float)) / (steady_seconds() - begin));
    }
  }

  double least_us(const Work& w) const {
    return std::max(2e-3 * w.multiply_adds / gflops, 1e-3 * w.bytes / gbytes);
  }
};

std::string kind_of(const edge::Model& m, const edge::OpRecord& op) {
  static constexpr const char* kNames[edge::kOpKinds] = {"pointwise", "depthwise",    "convolution", "affine",
                                                         "resize",    "average pool", "means",       "dense",
                                                         "gate",      "largest"};
  const auto& t = m.tensors()[op.output];
  std::string name = kNames[static_cast<size_t>(op.kind)];
  if (op.kind == edge::OpKind::kDepthwise || op.kind == edge::OpKind::kConvolution)
    name += fmt::format(" {}x{}{}", op.kernel_h, op.kernel_w, op.stride == 2 ? " /2" : "");
  return name + fmt::format(" {}x{}", t.height, t.width);
}

json row(const std::string& name, const Work& w, const Roof& roof) {
  return {{"name", name},
          {"count", w.count},
          {"median_us", w.us},
          {"macs", w.multiply_adds},
          {"bytes", w.bytes},
          {"gflops", 2e-3 * w.multiply_adds / w.us},
          {"gbytes_s", 1e-3 * w.bytes / w.us},
          {"roof_share", roof.least_us(w) / w.us}};
}

// A run leaves of its inputs what it may: each has them written anew, and is not timed while they are.
void fill(edge::Engine& engine) {
  engine.fill_inputs(0.5F);
  const auto in = engine.input(0);
  for (size_t i = 0; i < in.size(); ++i) in[i] = 0.01F * static_cast<float>(i % 7) - 0.03F;
}

// Each operation's median, then the operations of one kind and size together.
void add_layers(edge::Engine& engine, int64_t runs, json& out) {
  const edge::Model& m = engine.model();
  const Roof roof(engine.kernels());
  std::vector<std::vector<double>> each(m.ops().size());
  for (int64_t i = 0; i < runs; ++i) {
    fill(engine);
    engine.run([&](size_t op, double s) { each[op].push_back(1e6 * s); });
  }
  std::vector<std::pair<std::string, Work>> kinds;
  Work all{.count = 0};
  for (size_t i = 0; i < each.size(); ++i) {
    const auto& op = m.ops()[i];
    const auto& t = m.tensors()[op.output];
    const Work w = work(m, op, quantile(each[i], 0.5));
    json layer = row(m.name(op.name), w, roof);
    layer["output"] = {t.channels, t.height, t.width};
    out["layers"].push_back(std::move(layer));
    const std::string kind = kind_of(m, op);
    const auto known =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first == kind; });
    if (known == kinds.end())
      kinds.emplace_back(kind, w);
    else
      known->second += w;
    all += w;
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const auto& a, const auto& b) { return a.second.us > b.second.us; });
  for (const auto& [kind, w] : kinds) out["kinds"].push_back(row(kind, w, roof));
  out["kinds"].push_back(row("all", all, roof));
  out["peak_gflops"] = roof.gflops, out["peak_gbytes_s"] = roof.gbytes;
}

void print(const json& rows) {
  fmt::print("{:44} {:>5} {:>9} {:>9} {:>9} {:>8} {:>8} {:>6}\n", "operation", "count", "us", "MFLOP", "KiB",
             "GFLOP/s", "GB/s", "roof");
  for (const auto& l : rows)
    fmt::print("{:44} {:5} {:9.1f} {:9.2f} {:9.0f} {:8.1f} {:8.1f} {:5.0f}%\n", l["name"].get<std::string>(),
               l["count"].get<int>(), l["median_us"].get<double>(), 2e-6 * l["macs"].get<double>(),
               l["bytes"].get<double>() / 1024, l["gflops"].get<double>(), l["gbytes_s"].get<double>(),
               100 * l["roof_share"].get<double>());
}

void bench(const Arguments& a) {
  const double begin = steady_seconds();
  edge::Engine engine(edge::Model::from_file(a.model), kernels_of(a.instructions));
  const double load = steady_seconds() - begin;
  engine.set_threads(static_cast<size_t>(a.threads));
  const auto clock = a.threads == 1 ? &thread_seconds : &steady_seconds;
  std::vector<double> times;
  for (int64_t i = 0; i < a.runs + 20; ++i) {
    fill(engine);
    const double start = clock();
    engine.run();
    if (i >= 20) times.push_back(1e3 * (clock() - start));
  }
  json out{{"median_ms", quantile(times, 0.5)},
           {"best_ms", quantile(times, 0)},
           {"p90_ms", quantile(times, 0.9)},
           {"clock", a.threads == 1 ? "thread" : "wall"},
           {"load_ms", 1e3 * load},
           {"arena_bytes", engine.budget().taken()},
           {"instructions", engine.kernels().name},
           {"threads", a.threads}};
  if (a.layers) add_layers(engine, a.runs, out);
  if (a.as_json) return fmt::print("{}\n", out.dump());
  fmt::print(
      "{}: median {:.3f} ms{}, 90 % within {:.3f} ms, {} runs on {} thread{} ({}); loaded in {:.2f} ms, "
      "memory "
      "{}\n",
      a.model, out["median_ms"].get<double>(), a.threads == 1 ? " of processor time" : "",
      out["p90_ms"].get<double>(), a.runs, a.threads, a.threads == 1 ? "" : "s",
      out["instructions"].get<std::string>(), out["load_ms"].get<double>(),
      format_bytes(static_cast<int64_t>(engine.budget().taken())));
  if (!a.layers) return;
  print(out["layers"]);
  fmt::print(
      "\none core does {:.1f} GFLOP/s in registers and copies {:.1f} GB/s (read + written) in its second "
      "cache\n",
      out["peak_gflops"].get<double>(), out["peak_gbytes_s"].get<double>());
  print(out["kinds"]);
}

}  // namespace

void add_edge_bench(CLI::App& command, const std::string& name) {
  auto* timed = command.add_subcommand("bench",
                                       "Time a model of the edge runtime: on one thread, the time that it is "
                                       "on a processor; on several, by the\n"
                                       "clock on the wall.\n\n  perennial " +
                                           name + " bench model.peb --layers\n");
  auto b = std::make_shared<Arguments>();
  timed->add_option("MODEL", b->model, "the model file")->required()->type_name("MODEL.peb");
  timed->add_option("--threads", b->threads, "[1]")->check(CLI::Range(1, 64));
  timed->add_option("--runs", b->runs, "how many runs to take the median of [300]")
      ->check(CLI::Range(1, 1000000));
  timed
      ->add_option("--instructions", b->instructions,
                   "the kernels of a lesser processor: " + join(instruction_sets(), ", ") + " [the first]")
      ->check(CLI::IsMember(instruction_sets()));
  timed->add_flag(
      "--layers", b->layers,
      "each operation and each kind: time, operations, bytes, and the share of what one core can do");
  timed->add_flag("--json", b->as_json,
                  "as JSON: median_ms best_ms p90_ms clock load_ms arena_bytes (all memory), layers, kinds");
  timed->callback([b] { bench(*b); });
}

}  // namespace perennial::apps
