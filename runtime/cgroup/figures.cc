#include "runtime/cgroup/figures.h"

#include <array>
#include <utility>

#include "runtime/cgroup/directory.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

/// "12.34": two digits behind the point, as PSI prints them.
double parse_percent(std::string_view text) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return 0;
  const auto whole = parse_uint(text.substr(0, point));
  const auto hundredths = parse_uint(text.substr(point + 1));
  if (!whole || !hundredths) return 0;
  return static_cast<double>(*whole * 100 + *hundredths) / 100;
}

/// "name=value"; two empty texts when it is not.
std::pair<std::string_view, std::string_view> name_and_value(std::string_view word) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

Pressure::Line parse_pressure_line(const std::vector<std::string_view>& words) {
  Pressure::Line line;
  for (const std::string_view word : words) {
    const auto [name, value] = name_and_value(word);
    if (name == "avg10") line.avg10 = parse_percent(value);
    if (name == "avg60") line.avg60 = parse_percent(value);
    if (name == "avg300") line.avg300 = parse_percent(value);
    if (name == "total") line.total = parse_uint(value).value_or(0);
  }
  return line;
}

/// "8:0"; the entry has the device alone.
std::optional<BlockIoEntry> parse_device(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = parse_uint(text.substr(0, colon));
  const auto minor = parse_uint(text.substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  BlockIoEntry entry;
  entry.major = *major;
  entry.minor = *minor;
  return entry;
}

uint64_t number_or_unlimited(std::string_view text) {
  return text == "max" ? kUnlimited : parse_uint(text).value_or(0);
}

}  // namespace

Table parse_table(std::string_view text) {
  Table table;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    const auto number = words.size() == 2 ? parse_uint(words[1]) : std::nullopt;
    if (number) table[std::string(words[0])] = *number;
  }
  return table;
}

std::vector<uint16_t> parse_list(std::string_view text) {
  std::vector<uint16_t> numbers;
  for (const std::string_view range : split(text, ',')) {
    const size_t dash = range.find('-');
    const auto first = parse_uint(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_uint(range.substr(dash + 1));
    if (!first || !last || *last > UINT16_MAX) continue;
    for (uint64_t i = *first; i <= *last; ++i) numbers.push_back(static_cast<uint16_t>(i));
  }
  return numbers;
}

Pressure parse_pressure(std::string_view text) {
  Pressure pressure;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    if (words[0] == "some") pressure.some = parse_pressure_line(words);
    if (words[0] == "full") pressure.full = parse_pressure_line(words);
  }
  return pressure;
}

std::vector<BlockIoEntry> parse_block_io(std::string_view text) {
  std::vector<BlockIoEntry> entries;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    std::optional<BlockIoEntry> entry = parse_device(words[0]);
    const auto value = words.size() == 3 ? parse_uint(words[2]) : std::nullopt;
    if (!entry || !value) continue;
    entry->operation = words[1];
    entry->value = *value;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

IoStat parse_io_stat(std::string_view text) {
  IoStat stat;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    const std::optional<BlockIoEntry> device = parse_device(words[0]);
    for (size_t i = 1; device && i < words.size(); ++i) {
      const auto [name, text_value] = name_and_value(words[i]);
      const auto value = parse_uint(text_value);
      const bool reads = name == "rbytes" || name == "rios";
      const bool writes = name == "wbytes" || name == "wios";
      if (!value || (!reads && !writes)) continue;
      BlockIoEntry entry = *device;
      entry.operation = reads ? "Read" : "Write";
      entry.value = *value;
      (name.ends_with("bytes") ? stat.bytes : stat.operations).push_back(std::move(entry));
    }
  }
  return stat;
}

std::map<std::string, Table> parse_rdma(std::string_view text) {
  std::map<std::string, Table> devices;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    for (size_t i = 1; i < words.size(); ++i) {
      const auto [name, value] = name_and_value(words[i]);
      if (name.empty()) continue;
      devices[std::string(words[0])][std::string(name)] = number_or_unlimited(value);
    }
  }
  return devices;
}

Result<std::optional<std::string>> Figures::find(const std::string& file) const {
  Result<std::optional<std::string>> text = read_control(directory_, file);
  if (text) return text;
  // EOPNOTSUPP: pressure files of a kernel that was started with psi=0. EISDIR: the payload's work.
  const int code = text.error().code();
  if (code == EOPNOTSUPP || code == EISDIR) return std::optional<std::string>();
  return text;
}

Result<std::string> Figures::text(const std::string& file) const {
  std::optional<std::string> text = TRY(find(file));
  return std::move(text).value_or("");
}

Result<uint64_t> Figures::number(const std::string& file) const {
  const std::string text = TRY(this->text(file));
  return number_or_unlimited(text);
}

Result<Table> Figures::table(const std::string& file) const {
  const std::string text = TRY(this->text(file));
  return parse_table(text);
}

Result<std::vector<uint64_t>> Figures::numbers(const std::string& file) const {
  const std::string text = TRY(this->text(file));
  std::vector<uint64_t> numbers;
  for (const std::string_view word : split(text, ' ')) {
    const auto number = parse_uint(word);
    if (number) numbers.push_back(*number);
  }
  return numbers;
}

Result<std::optional<Pressure>> Figures::pressure(const std::string& file) const {
  const std::optional<std::string> text = TRY(find(file));
  if (!text) return std::optional<Pressure>();
  return std::optional<Pressure>(parse_pressure(*text));
}

Result<std::vector<std::string>> Figures::page_sizes(std::string_view suffix) const {
  constexpr std::string_view kPrefix = "hugetlb.";
  std::vector<std::string> sizes;
  Result<std::vector<std::string>> names = sys::list_directory(directory_);
  if (!names && is_gone(names.error())) return sizes;
  const std::vector<std::string> files = TRY(std::move(names));
  for (const std::string& file : files) {
    const bool fits = file.starts_with(kPrefix) && file.ends_with(suffix);
    if (!fits || file.size() <= kPrefix.size() + suffix.size()) continue;
    const size_t size = file.size() - kPrefix.size() - suffix.size();
    const std::string name = file.substr(kPrefix.size(), size);
    // "2MB.rsvd" is about reservations. A directory is the payload's.
    const std::optional<std::string> text = TRY(find(file));
    if (text && !name.ends_with(".rsvd")) sizes.push_back(name);
  }
  return sizes;
}

uint64_t number_in(const Table& table, const std::string& name) {
  const auto found = table.find(name);
  return found == table.end() ? 0 : found->second;
}

}  // namespace rt::cgroup
