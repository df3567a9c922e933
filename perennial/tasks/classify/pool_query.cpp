#include "perennial/tasks/classify/pool_query.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/data/csv_rows.h"
#include "perennial/data/image_csv.h"
#include "perennial/data/stream.h"
#include "perennial/tasks/classify/features.h"

namespace perennial {
namespace {

constexpr int64_t kMaxCsvBytes = int64_t{1} << 30;

std::string normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

/// The answers as a source of labelled samples.
Dataset labelled_part(const Dataset& pool, const PoolAnswers& answers) {
  Dataset labelled = pool;
  labelled.class_names = answers.class_names;
  labelled.labels.assign(static_cast<size_t>(pool.size()), 0);
  for (size_t i = 0; i < answers.rows.size(); ++i)
    labelled.labels[static_cast<size_t>(answers.rows[i])] = std::max<int64_t>(0, answers.labels[i]);
  return labelled;
}

}  // namespace

PoolAnswers read_answers(const std::filesystem::path& file, const Dataset& pool,
                         const std::vector<std::string>& known) {
  std::unordered_map<std::string, int64_t> rows;
  for (int64_t i = 0; i < pool.size(); ++i) rows[normal(pool.paths[static_cast<size_t>(i)])] = i;
  PoolAnswers answers{{}, {}, known, 0};
  std::map<int64_t, CsvRow> found;
  std::set<std::string> fresh;
  for (const CsvRow& line : parse_image_csv(read_file(file, kMaxCsvBytes), file.string())) {
    const auto row = rows.find(normal(line.path));
    if (row == rows.end()) {
      ++answers.elsewhere;
      continue;
    }
    const auto [before, is_new] = found.emplace(row->second, line);
    if (!is_new && before->second.label != line.label)
      throw Error({"reading answers", fmt::format("{}, line {}", file.string(), line.line),
                   fmt::format("'{}' as in line {}", before->second.label, before->second.line),
                   fmt::format("'{}' for {}", line.label, line.path)});
    if (line.label != kNoneOfTheseName && std::find(known.begin(), known.end(), line.label) == known.end())
      fresh.insert(line.label);
  }
  answers.class_names.insert(answers.class_names.end(), fresh.begin(), fresh.end());
  for (const auto& [row, line] : found) {
    const auto at = std::find(answers.class_names.begin(), answers.class_names.end(), line.label);
    answers.rows.push_back(row);
    answers.labels.push_back(at == answers.class_names.end() ? kNoneOfThese
                                                             : at - answers.class_names.begin());
  }
  return answers;
}

std::unique_ptr<Learner> learn_answers(Dataset& pool, const PoolAnswers& answers, const ModelOptions& model,
                                       uint64_t seed, Progress& progress) {
  Settings settings{{"learner", "joint"},     {"model", model.name}, {"model.weights", model.weights},
                    {"epochs", "50"},         {"batch", "32"},       {"seed", std::to_string(seed)},
                    {"train.augment", "none"}};
  const bool has_images = pool.input == column::kImage;
  if (has_images) settings.push_back({"model.freeze", "features"});
  const auto config = make_config(settings);
  LearnerSetup setup{config->model, config->compute, config->train};
  setup.input_shape = pool.input_shape();
  setup.normalisation = pool.normalisation;
  setup.labels = std::ssize(answers.class_names);
  setup.seed = seed;
  if (has_images) {
    DataSource source;
    source.train = std::move(pool);
    replace_by_features(*config, config->model, setup.normalisation, source, progress);
    pool = std::move(source.train);
  }
  auto learner = find_method("joint").make(setup, *config->method);
  const auto labelled = std::make_shared<Dataset>(labelled_part(pool, answers));
  std::vector<int64_t> rows;
  for (size_t i = 0; i < answers.rows.size(); ++i)
    if (answers.labels[i] != kNoneOfThese) rows.push_back(answers.rows[i]);
  if (rows.empty()) return learner;
  Stream stream;
  stream.grow(labelled, {Task{rows, {}}});
  learner->task_data(labelled, rows);
  while (!stream.finished()) learner->observe(stream.next(learner->wanted()).samples);
  const ProgressPart part(progress, "learning the answers", learner->pieces());
  while (learner->consolidate(progress)) progress.advance(1);
  return learner;
}

PoolPicks choose_from_pool(const Dataset& pool, Learner& learner, const PoolAnswers& answers,
                           const Strategy& strategy, int64_t budget, uint64_t seed, Progress& progress) {
  Dataset unlabelled = pool;
  unlabelled.labels.clear();
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < pool.size(); ++row)
    if (!std::binary_search(answers.rows.begin(), answers.rows.end(), row)) rows.push_back(row);
  const ProgressPart part(progress, "looking at the pool", std::ssize(rows));
  const AskLearner ask = [&](const Samples& samples) {
    if (progress.stop_requested()) throw Interrupted{};
    progress.advance(samples.size());
    auto evidence = learner.evidence(samples);
    if (evidence == nullptr) throw std::invalid_argument("this learner tells nothing of samples");
    return evidence;
  };
  Answered answered{answers.rows.empty() ? Samples{} : unlabelled.get(answers.rows), answers.labels};
  Query query(unlabelled, std::move(rows), std::move(answered), ask, seed,
              static_cast<uint64_t>(answers.rows.size()));
  const Strategy::Picks chosen = strategy.select(query, budget);

  PoolPicks picks;
  std::vector<int64_t> of_pool;
  for (const auto& [stage, scores] : chosen.scores) picks.stages.push_back(stage);
  for (size_t i = 0; i < chosen.places.size(); ++i) {
    PoolPick pick;
    pick.row = query.rows()[static_cast<size_t>(chosen.places[i])];
    pick.name = pool.paths[static_cast<size_t>(pick.row)];
    for (const auto& [stage, scores] : chosen.scores) pick.scores.push_back(scores[i]);
    of_pool.push_back(pick.row);
    picks.picks.push_back(std::move(pick));
  }
  const std::vector<std::string>& names = answers.class_names;
  if (names.empty() || of_pool.empty()) return picks;
  const at::Tensor probabilities = learner.predict(unlabelled.get(of_pool));
  for (size_t i = 0; i < picks.picks.size(); ++i) {
    const at::Tensor own = probabilities[static_cast<int64_t>(i)];
    const int64_t best = own.argmax().item<int64_t>();
    if (best >= std::ssize(names)) continue;
    picks.picks[i].predicted = names[static_cast<size_t>(best)];
    picks.picks[i].probability = own[best].item<double>();
  }
  return picks;
}

std::string picks_csv(const PoolPicks& picks) {
  std::string text = "rank,path";
  for (const std::string& stage : picks.stages) text += "," + stage;
  text += ",predicted,probability\n";
  int64_t rank = 0;
  for (const PoolPick& pick : picks.picks) {
    text += fmt::format("{},{}", ++rank, csv_field(pick.name));
    for (const float score : pick.scores) text += fmt::format(",{:.6g}", score);
    text += pick.predicted.empty() ? ",,\n"
                                   : fmt::format(",{},{:.4f}\n", csv_field(pick.predicted), pick.probability);
  }
  return text;
}

}  // namespace perennial
