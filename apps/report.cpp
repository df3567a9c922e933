#include "perennial/run/report.h"

#include <fmt/format.h>

#include "apps/flags.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"
#include "perennial/report/report.h"

namespace perennial::apps {

namespace {

struct ReportArguments {
  std::string run, out;
};

void report(const ReportArguments& a) {
  if (!a.out.empty()) require_ending("-o", a.out, {".html", ".htm"});
  const std::string page = report_html(a.run);
  const auto file =
      a.out.empty() ? std::filesystem::path(a.run) / "report.html" : std::filesystem::path(a.out);
  try {
    write_file_atomic(file, page);
  } catch (const Error& e) {
    if (!a.out.empty()) throw;
    Error::Context context = e.context();
    context.found += " (-o FILE writes it elsewhere)";
    throw Error(context);
  }
  fmt::print("{}\n", file.string());
}

void add_report(CLI::App& app) {
  auto* command = app.add_subcommand("report", "Write RUN/report.html again from what the run measured.");
  auto a = std::make_shared<ReportArguments>();
  command->add_option("RUN", a->run, "the run folder")->required();
  command->add_option("-o,--out", a->out, "write it here [RUN/report.html]")->type_name("FILE.html");
  command->callback([a] { report(*a); });
}

const Command kReport(7, "report", Command::Work::kLight, add_report);

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

const Command kCompare(8, "compare", Command::Work::kLight, add_compare);

}  // namespace
}  // namespace perennial::apps
