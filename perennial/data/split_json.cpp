#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/error.h"
#include "perennial/data/split_files.h"

namespace perennial {
namespace {

constexpr size_t kLongestText = 4096;
constexpr uint64_t kLabelLimit = 1'000'000'000;

/// Takes the events of the parser; holds one record at a time and never the document, so that memory stays in
/// proportion to the records that were good.
class RecordReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit RecordReader(std::string name) : name_(std::move(name)) {}
  std::vector<SplitRecord> take() { return std::move(records_); }

  bool start_array(size_t) override {
    if (depth_ != 0) refuse("no lists within a record", "a list");
    depth_ = 1;
    return true;
  }
  bool end_array() override { return depth_ = 0, true; }

  bool start_object(size_t) override {
    if (depth_ != 1) refuse(depth_ == 0 ? "a list of records" : "no objects within a record", "an object");
    depth_ = 2;
    record_ = {};
    has_klass_ = has_file_ = has_label_ = has_truth_ = false;
    return true;
  }
  bool end_object() override {
    if (!has_klass_ || !has_file_ || !has_label_)
      refuse("klass, file_name and label", has_klass_ ? has_file_ ? "no label" : "no file_name" : "no klass");
    records_.push_back(std::move(record_));
    depth_ = 1;
    return true;
  }
  bool key(string_t& name) override { return key_ = std::move(name), true; }

  bool string(string_t& text) override {
    if (depth_ != 2) refuse("a record", "a text");
    if (text.size() > kLongestText)
      refuse(fmt::format("texts of at most {} bytes", kLongestText), fmt::format("{} bytes", text.size()));
    if (key_ == "klass") return once(has_klass_), record_.klass = std::move(text), true;
    if (key_ == "file_name" || key_ == "filepath") {
      if (text.empty()) refuse("a file name", "an empty text");
      return once(has_file_), record_.file_name = std::move(text), true;
    }
    return other("a text");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 2) refuse("a record", "a number");
    if (key_ == "klass") return once(has_klass_), record_.klass = std::to_string(value), true;
    if (key_ != "label" && key_ != "true_label") return other("a number");
    if (value >= kLabelLimit) refuse(fmt::format("{} below {}", key_, kLabelLimit), std::to_string(value));
    once(key_ == "label" ? has_label_ : has_truth_);
    (key_ == "label" ? record_.label : record_.true_label) = static_cast<int64_t>(value);
    return true;
  }
  bool number_integer(number_integer_t value) override { return other(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return other(text.substr(0, 40)); }
  bool null() override { return other("null"); }
  bool boolean(bool value) override { return other(value ? "true" : "false"); }
  bool binary(binary_t&) override { return other("bytes"); }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw Error({"reading a split file", name_, "JSON: a list of records {klass, file_name, label}",
                 fmt::format("a mistake at byte {}, after {} records", position, records_.size())});
  }

 private:
  [[noreturn]] void refuse(std::string expected, std::string found) const {
    throw Error({"reading a split file", name_, fmt::format("{} in record {}", expected, records_.size()),
                 std::move(found)});
  }
  /// A field of the record may stand there once.
  void once(bool& seen) const {
    if (seen) refuse("each field once", fmt::format("{} twice", key_));
    seen = true;
  }
  /// A value that no field of ours takes: fine under another key.
  bool other(const std::string& found) const {
    if (depth_ != 2) refuse("a record", found);
    if (key_ == "klass" || key_ == "file_name" || key_ == "filepath")
      refuse(key_ + ": a text" + (key_ == "klass" ? " or a number" : ""), found);
    if (key_ == "label" || key_ == "true_label") refuse(key_ + ": a whole number from 0", found);
    return true;
  }

  std::string name_, key_;
  std::vector<SplitRecord> records_;
  SplitRecord record_;
  int depth_ = 0;  ///< 0 outside, 1 in the list, 2 in a record
  bool has_klass_ = false, has_file_ = false, has_label_ = false, has_truth_ = false;
};

}  // namespace

std::vector<SplitRecord> parse_split_json(std::string_view json, const std::string& name) {
  RecordReader reader(name);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  return reader.take();
}

std::string format_split_json(std::span<const SplitRecord> records, const std::string& name) {
  std::string out = "[";
  for (const SplitRecord& record : records) {
    nlohmann::ordered_json object{
        {"klass", record.klass}, {"file_name", record.file_name}, {"label", record.label}};
    if (record.true_label >= 0) object["true_label"] = record.true_label;
    try {
      out += (out.size() > 1 ? ",\n" : "") + object.dump();
    } catch (const nlohmann::json::exception&) {
      throw Error({"writing a split file", name, "class and file names in UTF-8", record.file_name});
    }
  }
  return out + "]\n";
}

}  // namespace perennial
