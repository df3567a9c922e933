#include "perennial/run/bench.h"

#include <thread>

#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/report/bench_table.h"
#include "perennial/report/report.h"

namespace perennial::apps {
namespace {

struct BenchArguments {
  Common common;
  std::string grid;
  BenchOptions options;
};

std::vector<BenchRow> rows_of(const Grid& grid, const std::vector<BenchRun>& runs, Progress& progress) {
  std::vector<BenchRow> rows;
  for (const GridRow& row : grid.rows) {
    BenchRow out{row.name, {}, 0, {}};
    for (const Expectation& e : row.expected) out.expected.push_back({e.figure, e.value, e.tolerance});
    bool asked = false;
    for (const BenchRun& run : runs) {
      if (run.row != row.name) continue;
      asked = true;
      if (run.error.empty()) {
        out.runs.push_back(run.folder);
      } else {
        ++out.missing;
        progress.note(fmt::format("{}, seed {}: {}", run.row, run.seed, run.error));
      }
    }
    if (asked) rows.push_back(std::move(out));
  }
  return rows;
}

void bench(const BenchArguments& a) {
  const Grid grid = read_grid(a.grid);
  for (const GridRow& row : grid.rows)
    for (const Expectation& e : row.expected) require_figure("figure of [expect." + row.name + "]", e.figure);
  TerminalProgress progress(a.common.quiet);
  const auto rows = rows_of(grid, run_grid(grid, a.options, progress), progress);
  const BenchTable table = bench_table(grid.title, rows);
  write_file_atomic(a.options.out / "table.txt", table.text);
  write_file_atomic(a.options.out / "table.json", table.json);
  std::vector<std::filesystem::path> runs;
  for (const BenchRow& row : rows) runs.insert(runs.end(), row.runs.begin(), row.runs.end());
  if (!runs.empty()) write_file_atomic(a.options.out / "compare.html", compare_html(runs));
  fmt::print("{}", a.common.json ? table.json : table.text);
  if (!a.common.json && !runs.empty()) fmt::print("page: {}\n", (a.options.out / "compare.html").string());
  if (!table.passed)
    throw Error(
        {"running the grid", a.grid, "rows as they should be, all runs finished", "others (see the table)"});
}

void add_bench(CLI::App& app) {
  auto* command = app.add_subcommand(
      "bench",
      "Run a grid of configurations and seeds, and print a table of what they measured.\n\n"
      "  perennial bench bench/tables/digits.toml --out runs/digits\n"
      "  perennial bench GRID.toml --out DIR --only rm --only er --jobs 2\n\n"
      "Runs that are there already are not made again, so that an interrupted grid goes on. A grid may say "
      "what\n"
      "its rows should give: then each passes or fails, and so does the command. docs/bench.md has the "
      "format.\n");
  auto a = std::make_shared<BenchArguments>();
  command->add_option("GRID", a->grid, "the grid")->required()->type_name("GRID.toml");
  command->add_option("--out", a->options.out, "where the runs, table.txt and compare.html lie")
      ->required()
      ->type_name("DIR");
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  a->options.jobs = cores;
  command->add_option("--jobs", a->options.jobs, fmt::format("runs at a time [{}]", cores))
      ->check(CLI::Range(1, 1024));
  command->add_option("--only", a->options.only, "these rows alone")->type_name("ROW")->delimiter(',');
  add_common(*command, a->common);
  command->callback([a] {
    a->options.program = {"/proc/self/exe"};  // of the child, until it is another program
    bench(*a);
  });
}

const Command kBench(9, "bench", Command::Work::kLight, add_bench);

}  // namespace
}  // namespace perennial::apps
