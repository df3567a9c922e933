#include "apps/segment_masks.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/bad_files.h"
#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/outputs.h"
#include "perennial/data/csv_rows.h"
#include "perennial/tasks/segment/matte_model.h"
#include "perennial/tasks/segment/portrait_data.h"

namespace perennial::apps {
namespace {

using nlohmann::json;

struct MaskArguments {
  Common common;
  std::vector<std::filesystem::path> photographs;
  std::string out, teacher, masks, faces;
  PortraitOptions options;
  bool skip_bad = false;
};

// Without those that an earlier call wrote into a folder of photographs.
std::vector<std::filesystem::path> photographs_of(const MaskArguments& a) {
  auto found = images_named(a.photographs, a.common.quiet);
  const auto made = [&](const char* part) {
    return std::filesystem::weakly_canonical(std::filesystem::path(a.out) / part);
  };
  const std::filesystem::path images = made("images"), masks = made("masks");
  require_no_input("-o", masks, {a.masks});
  require_no_input("-o", std::filesystem::path(a.out) / "masks.csv", {a.faces});
  std::erase_if(found, [&](const auto& file) {
    const auto folder = std::filesystem::weakly_canonical(file).parent_path();
    return folder == images || folder == masks;
  });
  if (found.empty())
    throw Error(
        {"making masks", a.out, "photographs that were not written there by an earlier call", "none"});
  return found;
}

std::vector<Portrait> portraits(const MaskArguments& a, Progress& progress) {
  const auto photographs = photographs_of(a);
  PortraitOptions options = a.options;
  if (!a.faces.empty()) options.faces = parse_faces(read_file(a.faces, int64_t{1} << 24), a.faces);
  if (!a.masks.empty()) return make_portraits(labelled_masks(a.masks), photographs, a.out, options, progress);
  MatteRunner teacher(a.teacher.empty() ? default_matte_model() : std::filesystem::path(a.teacher), {});
  return make_portraits(teacher_masks(teacher), photographs, a.out, options, progress);
}

void masks(const MaskArguments& a) {
  check_portrait_options(a.options);
  TerminalProgress progress(a.common.quiet);
  const FolderLock lock(a.out, "making masks");
  const auto all = portraits(a, progress);
  std::map<Verdict, int64_t> count;
  BadFiles bad(a.skip_bad);
  std::string table = "photograph,face,verdict,agreement,area\n";
  for (const Portrait& p : all) {
    ++count[p.verdict];
    if (p.verdict == Verdict::kUnreadable) bad.add(std::runtime_error(p.reason));
    table += fmt::format("{},{},{},{:.4f},{:.4f}\n", csv_field(p.photograph.string()), p.face,
                         name_of(p.verdict), p.agreement, p.area);
  }
  const int64_t faceless = count[Verdict::kNoFace], portraits = std::ssize(all) - faceless;
  if (portraits == 0 && faceless > 0)
    throw Error({"making masks", a.faces, "a face in one of the photographs, by its file name", "none"});
  const bool black = std::all_of(all.begin(), all.end(), [](const Portrait& p) {
    return p.verdict == Verdict::kNoFace || (p.verdict == Verdict::kArea && p.area == 0);
  });
  if (black && !a.masks.empty())
    throw Error({"making masks", a.masks, "a person, all but black, in one of the masks",
                 "0 as the greatest value in them"});
  const auto file = std::filesystem::path(a.out) / "masks.csv";
  write_file_atomic(file, table);
  const int64_t before = count[Verdict::kKeptBefore], kept = before + count[Verdict::kKept];
  if (a.common.json)
    fmt::print(
        "{}\n",
        json{{"portraits", portraits}, {"kept", kept}, {"kept_before", before}, {"without_a_face", faceless}}
            .dump());
  else
    fmt::print(
        "{} of {} {} kept with a mask in {}{}; what became of each: {}\n", kept, portraits,
        a.faces.empty() ? "photographs" : fmt::format("portraits (no face in {} photographs)", faceless),
        a.out, before > 0 ? fmt::format(", {} of them before", before) : "", file.string());
  bad.finish(all.size() - static_cast<size_t>(count[Verdict::kUnreadable]));
}

}  // namespace

void add_portrait_masks(CLI::App& parent) {
  auto* command = parent.add_subcommand(
      "masks",
      "Masks for photographs that have none, by a model that already makes good ones; what it is not sure of "
      "is left out. With --faces, head and shoulders around each face become photographs of their own; with "
      "--masks, the masks are those that are there.\n\n"
      "  perennial segment masks photos/ -o labelled --teacher teacher.peb\n"
      "  perennial segment masks photos/ -o labelled --teacher teacher.peb --faces faces.csv\n"
      "  perennial segment masks bodies/images -o portraits --masks bodies/masks --faces faces.csv\n"
      "  perennial segment train --data labelled --out run\n");
  auto a = std::make_shared<MaskArguments>();
  command->add_option("IMAGE", a->photographs, "photographs, or folders of them")->required();
  command->add_option("-o,--out", a->out, "folder to write images/, masks/ and masks.csv into")
      ->required()
      ->type_name("DIR");
  auto* teacher = command
                      ->add_option("--teacher", a->teacher,
                                   "default: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the "
                                   "cache folder")
                      ->type_name("MODEL.peb");
  auto* faces =
      command
          ->add_option("--faces", a->faces,
                       "boxes of faces, lines of photograph,left,top,width,height in pixels, photographs by "
                       "their file name; STEM-1.png is what lies around the first (scripts/faces writes one)")
          ->type_name("FILE.csv");
  auto* labelled =
      command
          ->add_option(
              "--masks", a->masks,
              "instead of a teacher: masks of the photographs, STEM.png of 8 bits; all but black is a person")
          ->type_name("DIR")
          ->excludes(teacher)
          ->check(CLI::ExistingDirectory);
  PortraitOptions& o = a->options;
  command->add_option("--least-face", o.least_face, "least width of a face in pixels [32]")
      ->needs(faces)
      ->check(CLI::Range(1, 100000));
  command->add_option("--around", o.around, "width of a portrait in faces; 4/3 of it is its height [3]")
      ->needs(faces)
      ->check(CLI::Range(1.0, 100.0));
  command
      ->add_option("--agreement", o.agreement,
                   "least IoU of the masks of a photograph and of its mirror image [0.9]")
      ->excludes(labelled)
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--least", o.least, "least share of the photograph that a person fills [0.02]")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--most", o.most, "and the largest [0.95]")->check(CLI::Range(0.0, 1.0));
  add_skip_bad(*command, a->skip_bad);
  add_common(*command, a->common);
  command->callback([a] { masks(*a); });
}

}  // namespace perennial::apps
