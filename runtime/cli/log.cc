#include "runtime/cli/log.h"

#include <algorithm>
#include <cstdio>

#include "runtime/container/clock.h"
#include "runtime/container/output.h"
#include "spec/json_writer.h"

namespace rt::cli {
namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      break;
  }
  return "error";
}

/// One line, whatever the kernel or a document put into it.
std::string on_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string json_line(Level level, const Error& error, std::string_view time) {
  spec::JsonWriter json;
  json.begin_object().key("level").value(name_of(level));
  json.key("msg").value(on_one_line(error.message())).key("time").value(time);
  if (!error.step().empty()) json.key("step").value(error.step());
  if (!error.pointer().empty()) json.key("pointer").value(error.pointer());
  if (!error.call().empty()) json.key("syscall").value(error.call());
  if (error.code() != 0) json.key("errno").value(error.code());
  json.end_object();
  return json.text();
}

}  // namespace

std::string format_line(LogFormat format, Level level, const Error& error, std::string_view time) {
  if (format == LogFormat::kJson) return json_line(level, error, time);
  return cat("time=", quoted(time), " level=", name_of(level), " msg=", quoted(error.message()));
}

void Log::keep(Level level, std::string_view message) {
  kept_.push_back({.level = level, .message = std::string(message)});
}

void Log::write(Level level, const Error& error) const {
  const std::string line = format_line(format_, level, error, container::rfc3339_now());
  const Status written = container::append_line(file_, line);
  if (!written) print_error(cat("runtime: log file: ", written.error().message(), '\n'));
}

void Log::succeed() {
  for (const Kept& kept : kept_) {
    if (file_.empty()) {
      print_error(cat("runtime: ", name_of(kept.level), ": ", on_one_line(kept.message), '\n'));
    } else {
      write(kept.level, Error(kept.message));
    }
  }
  kept_.clear();
}

void Log::fail(const Error& error) {
  kept_.clear();
  if (!file_.empty()) write(Level::kError, error);
  print_error(cat("runtime: ", on_one_line(error.message()), '\n'));
}

Status print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) return Error::from_errno("write").within("stdout");
  return ok();
}

void print_error(std::string_view text) {
  // Not buffered: one write(2), so that lines of several processes do not mix.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

}  // namespace rt::cli
