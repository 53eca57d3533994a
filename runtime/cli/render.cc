#include "runtime/cli/render.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "runtime/base/text.h"
#include "spec/json_writer.h"
#include "spec/state.h"

namespace rt::cli {
namespace {

using container::Info;

/// No look-up of user names: it would load libraries and files of the host.
std::string owner_of(const Info& info) {
  return info.owner == 0 ? "root" : std::to_string(info.owner);
}

spec::State state_of(const Info& info) {
  spec::State state;
  state.id = info.record.id;
  state.status = name_of(info.status);
  state.pid = info.pid;
  state.bundle = info.record.bundle;
  state.annotations = info.record.annotations;
  state.rootfs = info.record.rootfs;
  state.created = info.record.created;
  state.owner = owner_of(info);
  return state;
}

constexpr size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

/// A path can hold anything; a terminal shall not be driven by it.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

Row row_of(const Info& info) {
  return {info.record.id,
          std::to_string(info.pid),
          std::string(name_of(info.status)),
          printable(info.record.bundle),
          printable(info.record.created),
          owner_of(info)};
}

/// Columns as wide as their widest word, but for the last.
std::string aligned(std::vector<Row> rows) {
  std::array<size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (Row& row : rows) {
    for (size_t i = 0; i + 1 < kColumns; ++i) {
      row[i].resize(widths[i] + 2, ' ');
      text += row[i];
    }
    text += row.back() + '\n';
  }
  return text;
}

/// "01:02:03", and with days in front "4-01:02:03".
std::string clock_text(std::chrono::seconds time) {
  const auto two_digits = [](int64_t number) { return cat(number < 10 ? "0" : "", number); };
  const std::chrono::hh_mm_ss clock(time % std::chrono::days(1));
  const auto days = std::chrono::duration_cast<std::chrono::days>(time).count();
  return cat(days > 0 ? cat(days, '-') : "", two_digits(clock.hours().count()), ':',
             two_digits(clock.minutes().count()), ':', two_digits(clock.seconds().count()));
}

Row row_of(const container::ProcessInfo& process) {
  return {std::to_string(process.user),   std::to_string(process.pid),
          std::to_string(process.parent), std::string(1, process.state),
          clock_text(process.cpu_time),   printable(process.command)};
}

}  // namespace

std::string state_json(const Info& info) { return cat(spec::to_json(state_of(info)), '\n'); }

std::string list_json(const std::vector<Info>& containers) {
  spec::JsonWriter json;
  json.begin_array();
  for (const Info& info : containers) spec::write_state(json, state_of(info));
  json.end_array();
  return cat(json.text(), '\n');
}

std::string list_table(const std::vector<Info>& containers) {
  std::vector<Row> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const Info& info : containers) rows.push_back(row_of(info));
  return aligned(std::move(rows));
}

std::string processes_json(const std::vector<pid_t>& pids) {
  spec::JsonWriter json;
  json.begin_array();
  for (const pid_t pid : pids) json.value(pid);
  json.end_array();
  return cat(json.text(), '\n');
}

std::string processes_table(const std::vector<container::ProcessInfo>& processes) {
  std::vector<Row> rows = {{"UID", "PID", "PPID", "STATE", "TIME", "CMD"}};
  for (const container::ProcessInfo& process : processes) rows.push_back(row_of(process));
  return aligned(std::move(rows));
}

}  // namespace rt::cli
