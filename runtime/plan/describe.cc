#include "runtime/plan/describe.h"

#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "runtime/plan/parts.h"
#include "spec/json_writer.h"

namespace rt::plan {
namespace {

constexpr size_t kColumns = 5;
using Line = std::array<std::string, kColumns>;

/// A text longer than this does not widen the column for all others.
constexpr size_t kWidest = 72;

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::kCreate:
      return "create";
    case Phase::kStart:
      return "start";
    case Phase::kDelete:
      return "delete";
  }
  return "";
}

std::string_view actor_name(Actor actor) {
  switch (actor) {
    case Actor::kRuntime:
      return "runtime";
    case Actor::kStage1:
      return "stage 1";
    case Actor::kInit:
      return "init";
  }
  return "";
}

Line line_of(const Action& action) {
  return {std::string(phase_name(action.phase)), std::string(actor_name(action.actor)),
          std::string(name_of(action.step)), action.text, escaped(action.origin)};
}

/// Columns are padded but for the last one.
std::string table(const std::vector<Line>& lines) {
  std::array<size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (size_t i = 0; i < kColumns; ++i) {
      if (line[i].size() <= kWidest) widths[i] = std::max(widths[i], line[i].size());
    }
  }
  std::string out;
  for (const Line& line : lines) {
    for (size_t i = 0; i + 1 < kColumns; ++i) {
      const size_t padding = widths[i] - std::min(widths[i], line[i].size());
      out += cat(line[i], std::string(padding + 2, ' '));
    }
    out += cat(line.back(), '\n');
  }
  return out;
}

/// Messages name what the document says, and are safe to print already; origins hold keys of it.
std::string remark(std::string_view kind, const Origin& origin, std::string_view message) {
  return cat(kind, ": ", escaped(origin), ": ", message, '\n');
}

void write_remark(spec::JsonWriter& json, const Origin& origin, std::string_view message) {
  json.begin_object();
  json.key("origin").value(origin);
  json.key("message").value(message);
  json.end_object();
}

void write_action(spec::JsonWriter& json, const Action& action) {
  json.begin_object();
  json.key("phase").value(phase_name(action.phase));
  json.key("process").value(actor_name(action.actor));
  json.key("step").value(name_of(action.step));
  json.key("text").value(action.text);
  json.key("origin").value(action.origin);
  json.end_object();
}

}  // namespace

std::string describe_text(const Plan& plan) {
  std::vector<Line> lines;
  for (const Action& action : actions(plan)) lines.push_back(line_of(action));
  std::string out = table(lines);
  for (const Warning& note : plan.notes) out += remark("note", note.origin, note.message);
  for (const Warning& warning : plan.warnings) {
    out += remark("warning", warning.origin, warning.message);
  }
  return out;
}

std::string describe_json(const Plan& plan) {
  spec::JsonWriter json(spec::JsonWriter::Style::kPretty);
  json.begin_object();
  json.key("id").value(plan.id);
  json.key("bundle").value(plan.bundle);
  json.key("actions").begin_array();
  for (const Action& action : actions(plan)) write_action(json, action);
  json.end_array();
  json.key("notes").begin_array();
  for (const Warning& note : plan.notes) write_remark(json, note.origin, note.message);
  json.end_array();
  json.key("warnings").begin_array();
  for (const Warning& warning : plan.warnings) {
    write_remark(json, warning.origin, warning.message);
  }
  json.end_array();
  json.end_object();
  return json.text();
}

}  // namespace rt::plan
