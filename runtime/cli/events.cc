// The command events.
#include "runtime/container/events.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/cli/commands.h"
#include "runtime/cli/duration.h"

namespace rt::cli {
namespace {

struct EventArguments {
  bool stats = false;
  std::string interval = "5s";
  std::vector<std::string> pressure;
};

constexpr Option kEventOptions[] = {
    flag<&EventArguments::stats>("stats", 0, "the statistics once, and nothing else"),
    option<&EventArguments::interval>("interval", 0, "TIME",
                                      "between two statistics: 500ms, 1m30s (default: 5s)"),
    list_option<&EventArguments::pressure>(
        "pressure", 0, "TRIGGER",
        "tell when processes wait for a resource: \"memory some 150000 2000000\", for 150 ms of "
        "two seconds; cpu, memory, io, or all of them; repeatable"),
};

constexpr std::array<std::string_view, 3> kResources = {"cpu", "memory", "io"};

Result<std::chrono::nanoseconds> to_interval(const std::string& text) {
  const std::optional<std::chrono::nanoseconds> interval = parse_duration(text);
  if (!interval) {
    return Error(cat("--interval ", quoted(text), ": not a duration"))
        .with_hint("5s, 500ms, 1m30s");
  }
  if (interval->count() > 0) return *interval;
  return Error(cat("--interval ", quoted(text), ": must be greater than 0"));
}

/// "[RESOURCE] some|full STALL WINDOW"; which numbers there can be the kernel knows.
Status add_triggers(const std::string& text, std::vector<cgroup::PressureTrigger>& triggers) {
  const std::vector<std::string_view> words = split(text, ' ');
  const bool names_one = std::ranges::find(kResources, words[0]) != kResources.end();
  const std::span<const std::string_view> condition = std::span(words).subspan(names_one ? 1 : 0);
  const bool fits = condition.size() == 3 && (condition[0] == "some" || condition[0] == "full") &&
                    parse_uint(condition[1]) && parse_uint(condition[2]);
  if (!fits) {
    return Error(cat("--pressure ", quoted(text),
                     ": expected [cpu|memory|io] some|full and two numbers of microseconds"));
  }
  for (const std::string_view resource : kResources) {
    if (names_one && resource != words[0]) continue;
    triggers.push_back({.resource = std::string(resource),
                        .condition = cat(condition[0], ' ', condition[1], ' ', condition[2])});
  }
  return ok();
}

Result<int> events(const Invocation& invocation) {
  EventArguments arguments;
  const auto rest = TRY(parse_arguments(invocation, kEventOptions, arguments, 1, 1));
  container::EventOptions options;
  options.interval = TRY(to_interval(arguments.interval));
  for (const std::string& text : arguments.pressure) TRY(add_triggers(text, options.triggers));
  const container::Store store = TRY(open_store(invocation.globals));
  if (arguments.stats) {
    const std::string line = TRY(container::statistics(store, rest[0]));
    TRY(print(cat(line, '\n')));
    return 0;
  }
  TRY(container::follow_events(store, rest[0], options, STDOUT_FILENO, warn_to(invocation.log)));
  return 0;
}

constexpr Command kCommands[] = {
    {.name = "events",
     .arguments = "<id>",
     .summary = "Show what a container uses, and tell when it runs out of memory",
     .example = "runtime events --interval 10s demo",
     .options = kEventOptions,
     .run = events,
     .seals = false},
};

}  // namespace

std::span<const Command> event_commands() { return kCommands; }

}  // namespace rt::cli
