#include "apps/edge_export.h"

#include <fmt/format.h>

#include "edge/compile/onnx.h"
#include "perennial/base/bytes.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"
#include "perennial/tasks/edge_model.h"

namespace perennial::apps {
namespace {

std::string write_model(const std::string& file, std::string_view bytes) {
  write_file_atomic(file, bytes);
  return fmt::format("{}: {}\n", file, format_bytes(static_cast<int64_t>(bytes.size())));
}

}  // namespace

void add_export_flags(CLI::App& command, ExportFlags& flags) {
  command.add_option("-o,--out", flags.out, "the model file to write")->type_name("MODEL.peb");
  command
      .add_option("--onnx", flags.onnx, "also, or only, the network in ONNX, in float32 as it was trained")
      ->type_name("FILE.onnx");
  command.add_option("--dtype", flags.dtype, "of the weights; int8 also computes in it [float32]")
      ->check(CLI::IsMember({"float32", "bfloat16", "int8"}));
  command
      .add_option("--calibrate", flags.calibrate,
                  "for int8: photographs like those to come, or images/ in it")
      ->type_name("DIR");
  command.add_flag("--skip-bad", flags.skip_bad, "calibrate without the photographs that cannot be read");
}

void check_export(const ExportFlags& flags, bool ranges_known,
                  const std::vector<std::filesystem::path>& inputs) {
  if (flags.out.empty() && flags.onnx.empty())
    throw std::invalid_argument("export: say what to write: -o MODEL.peb, --onnx FILE.onnx, or both");
  if (ending_of(flags.out) == ".onnx")
    throw std::invalid_argument("-o: expected a file name that ends in .peb, found '" + flags.out +
                                "' (--onnx FILE.onnx writes ONNX)");
  if (!flags.out.empty()) require_ending("-o", flags.out, {".peb"});
  if (!flags.onnx.empty()) require_ending("--onnx", flags.onnx, {".onnx"});
  require_no_input("-o", flags.out, inputs);
  require_no_input("--onnx", flags.onnx, inputs);
  const bool int8 = flags.dtype == "int8";
  if (int8 && flags.calibrate.empty() && !ranges_known)
    throw std::invalid_argument(
        "export: --dtype int8 needs --calibrate DIR: photographs like those that the model will see");
  if (!int8 && !flags.calibrate.empty())
    throw std::invalid_argument("export: --calibrate is for --dtype int8, found " + flags.dtype);
}

void export_network(
    const edge::Graph& graph, const std::string& name, const ExportFlags& flags,
    const std::function<std::vector<std::filesystem::path>(const std::string&)>& photographs) {
  EdgePrecision precision;
  if (flags.dtype == "bfloat16") precision.weights = edge::Dtype::kBfloat16;
  if (flags.dtype == "int8") precision.weights = edge::Dtype::kInt8;
  precision.skip_bad = flags.skip_bad;
  if (!flags.calibrate.empty()) precision.calibration = photographs(flags.calibrate);
  std::vector<std::byte> bytes;
  if (!flags.out.empty()) bytes = compile_for_edge(graph, precision);  // nothing is written when this fails
  std::string written;
  if (!flags.onnx.empty()) written += write_model(flags.onnx, edge::to_onnx(graph, name));
  if (!flags.out.empty())
    written += write_model(flags.out, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  fmt::print("{}", written);
}

}  // namespace perennial::apps
