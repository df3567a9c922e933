#include "perennial/run/report/report.h"

#include <fmt/format.h>

#include "apps/flags.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"

namespace perennial::apps {

void add_report(CLI::App& app) {
  auto* command = app.add_subcommand("report", "Write RUN/report.html again from what the run measured.");
  auto run = std::make_shared<std::string>();
  command->add_option("RUN", *run, "the run folder")->required();
  command->callback([run] {
    const auto file = std::filesystem::path(*run) / "report.html";
    write_file_atomic(file, report_html(*run));
    fmt::print("{}\n", file.string());
  });
}

void add_compare(CLI::App& app) {
  auto* command =
      app.add_subcommand("compare",
                         "Runs beside each other; runs that differ only in their seed are one row.\n\n"
                         "  perennial compare rm-1 rm-2 er-1 er-2 --html compare.html\n");
  struct Arguments {
    std::vector<std::string> runs;
    std::string html;
  };
  auto a = std::make_shared<Arguments>();
  command->add_option("RUN", a->runs, "run folders")->required();
  command->add_option("--html", a->html, "also write a page with plots")->type_name("FILE");
  command->callback([a] {
    const std::vector<std::filesystem::path> runs(a->runs.begin(), a->runs.end());
    if (!a->html.empty()) require_ending("--html", a->html, {".html", ".htm"});
    for (const auto& run : runs) require_no_input("--html", a->html, {run / "metrics.json"});
    std::string text = compare_table(runs);
    if (!a->html.empty()) {
      write_file_atomic(a->html, compare_html(runs));
      text += fmt::format("report: {}\n", a->html);
    }
    fmt::print("{}", text);
  });
}

}  // namespace perennial::apps
