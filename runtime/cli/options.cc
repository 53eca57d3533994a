#include "runtime/cli/options.h"

#include <getopt.h>

#include <algorithm>

#include "spec/suggest.h"

namespace rt::cli {
namespace {

// What getopt returns for row 0; short options return their letter, which is below.
constexpr int kFirstRow = 256;

std::vector<::option> long_options(std::span<const Option> table) {
  std::vector<::option> rows;
  for (const Option& row : table) {
    const int argument = row.value != nullptr ? required_argument : optional_argument;
    const int code = kFirstRow + static_cast<int>(rows.size());
    rows.push_back({.name = row.name, .has_arg = argument, .flag = nullptr, .val = code});
  }
  rows.push_back({});
  return rows;
}

/// ":" first: a missing value is told apart from an unknown option.
std::string short_options(std::span<const Option> table, Order order) {
  std::string letters = order == Order::kBeforeOthers ? "+:" : ":";
  for (const Option& row : table) {
    if (row.short_name == 0) continue;
    letters += row.short_name;
    if (row.value != nullptr) letters += ':';
  }
  return letters;
}

/// The row that getopt's `code` stands for; null when there is none.
const Option* row_of(std::span<const Option> table, int code) {
  if (code >= kFirstRow) return &table[static_cast<size_t>(code - kFirstRow)];
  const auto row = std::ranges::find_if(
      table, [&](const Option& candidate) { return code != 0 && candidate.short_name == code; });
  return row == table.end() ? nullptr : &*row;
}

Error unknown(std::span<const Option> table, std::string_view argument) {
  std::string_view name = argument.substr(0, argument.find('='));
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  std::vector<std::string_view> known;
  for (const Option& row : table) {
    if (row.help != nullptr) known.emplace_back(row.name);
  }
  const std::string hint = did_you_mean(name, known, "--");
  return Error(cat("unknown option ", quoted(argument.substr(0, argument.find('='))), hint));
}

/// The argument that getopt has just read as a long option: the last, or the one before its value.
std::string_view read_argument(const std::vector<char*>& words) {
  const auto next = static_cast<size_t>(optind);
  const bool value_apart = optarg != nullptr && optarg == words[next - 1];
  return words[value_apart ? next - 2 : next - 1];
}

/// getopt takes any beginning of a name. What a beginning means would change with the next option
/// that we add, so it is an error here.
bool is_abbreviated(std::string_view argument, std::string_view name) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return argument.substr(0, argument.find('=')) != name;
}

Status read_option(std::span<const Option> table, int code, const std::vector<char*>& words,
                   void* options) {
  if (code == ':') {
    const Option* row = row_of(table, optopt);
    if (row == nullptr) return unknown(table, words[static_cast<size_t>(optind) - 1]);
    return Error(cat("flag needs an argument: --", row->name, ' ', row->value));
  }
  const Option* row = row_of(table, code);
  if (row == nullptr) {
    if (optopt > 0 && optopt < kFirstRow)
      return unknown(table, cat('-', static_cast<char>(optopt)));
    return unknown(table, words[static_cast<size_t>(optind) - 1]);
  }
  if (code >= kFirstRow && is_abbreviated(read_argument(words), row->name)) {
    return unknown(table, read_argument(words));
  }
  if (!row->store(options, optarg)) {
    return Error(cat("option --", row->name, ": ", quoted(optarg), " is neither true nor false"));
  }
  return ok();
}

std::string left_column(const Option& row) {
  const std::string letter = row.short_name != 0 ? cat('-', row.short_name, ", ") : "    ";
  const std::string value = row.value != nullptr ? cat(' ', row.value) : "";
  return cat("  ", letter, "--", row.name, value);
}

}  // namespace

Result<std::vector<std::string>> detail::parse(std::span<const Option> table,
                                               std::span<const std::string> arguments,
                                               void* options, Order order) {
  // getopt wants a program's name in front, a null behind, and moves the words about.
  std::string program;
  std::vector<std::string> copies(arguments.begin(), arguments.end());
  std::vector<char*> words = {program.data()};
  for (std::string& copy : copies) words.push_back(copy.data());
  words.push_back(nullptr);
  const std::vector<::option> rows = long_options(table);
  const std::string letters = short_options(table, order);
  const int count = static_cast<int>(words.size()) - 1;
  optind = 0;  // glibc: forget the state of an earlier call
  opterr = 0;
  while (true) {
    optopt = 0;
    const int code = ::getopt_long_only(count, words.data(), letters.c_str(), rows.data(), nullptr);
    if (code == -1) break;
    TRY(read_option(table, code, words, options));
  }
  return std::vector<std::string>(words.begin() + optind, words.end() - 1);
}

std::string describe_options(std::span<const Option> table) {
  size_t width = 0;
  for (const Option& row : table) {
    if (row.help != nullptr) width = std::max(width, left_column(row).size());
  }
  std::string text;
  for (const Option& row : table) {
    if (row.help == nullptr) continue;
    std::string left = left_column(row);
    left.resize(width + 2, ' ');
    text += cat(left, row.help, '\n');
  }
  return text;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known,
                         std::string_view prefix) {
  const auto nearest = spec::suggest(word, known);
  return nearest ? cat(" (did you mean ", prefix, *nearest, "?)") : "";
}

}  // namespace rt::cli
