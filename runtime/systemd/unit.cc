#include "runtime/systemd/unit.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace rt::systemd {
namespace {

constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

/// systemd is not on the bus while it executes itself anew.
bool is_passing(std::string_view name) {
  constexpr std::string_view kPassing[] = {
      "org.freedesktop.DBus.Error.Disconnected",
      "org.freedesktop.DBus.Error.NameHasNoOwner",
      "org.freedesktop.DBus.Error.NoReply",
      "org.freedesktop.DBus.Error.ServiceUnknown",
  };
  return std::ranges::find(kPassing, name) != std::end(kPassing);
}

/// A property that is a text.
Result<std::string> read_text(Bus& bus, const char* path, const char* interface, const char* name,
                              Deadline deadline) {
  const Message message = TRY(bus.make_call(path, kProperties, "Get"));
  TRY(check(sd_bus_message_append(message.get(), "ss", interface, name), "append"));
  const Answer answer = TRY(bus.call(message, deadline));
  if (!answer.ok()) return to_error(answer.refusal);
  const char* text = nullptr;
  TRY(check(sd_bus_message_read(answer.reply.get(), "v", "s", &text), name));
  return std::string(text);
}

/// A call of the manager's with the unit's name, and with the job's mode unless that is null.
Result<Answer> call_manager(Bus& bus, const char* method, const std::string& unit, const char* mode,
                            Deadline deadline) {
  const Message message = TRY(bus.make_call(kManagerPath, kManager, method));
  TRY(check(sd_bus_message_append(message.get(), "s", unit.c_str()), "append"));
  if (mode != nullptr) TRY(check(sd_bus_message_append(message.get(), "s", mode), "append"));
  return bus.call(message, deadline);
}

/// How many processes the unit has: the elements of a(sus).
Result<unsigned> count_processes(Bus& bus, const std::string& unit, Deadline deadline) {
  const Answer answer = TRY(call_manager(bus, "GetUnitProcesses", unit, nullptr, deadline));
  if (!answer.ok()) return to_error(answer.refusal);
  sd_bus_message* reply = answer.reply.get();
  TRY(check(sd_bus_message_enter_container(reply, 'a', "(sus)"), "processes"));
  unsigned count = 0;
  while (true) {
    const int skipped = sd_bus_message_skip(reply, "(sus)");
    if (skipped <= 0) return count;
    ++count;
  }
}

Status append_holder(sd_bus_message* message, const Order& order, pid_t pid) {
  TRY(append_property(message, {"Slice", "s", {order.slice}, 0}));
  return append_property(message, {"PIDs", "au", {"1", std::to_string(pid)}, 0});
}

}  // namespace

Error to_error(const Refusal& refusal) {
  return Error::from_wire(is_passing(refusal.name) ? EAGAIN : 0, "", refusal.message);
}

Result<unsigned> version(Bus& bus, Deadline deadline) {
  // "252.39-1~deb12u2", "v255-rc1".
  const std::string text = TRY(read_text(bus, kManagerPath, kManager, "Version", deadline));
  unsigned number = 0;
  const size_t first = text.find_first_of("0123456789");
  if (first != std::string::npos) {
    std::from_chars(text.data() + first, text.data() + text.size(), number);
  }
  if (number == 0) return Error(cat("systemd has a version that is no number: ", quoted(text)));
  return number;
}

Result<Answer> start_unit(Bus& bus, const Order& order, pid_t pid, Deadline deadline) {
  const Message message = TRY(bus.make_call(kManagerPath, kManager, "StartTransientUnit"));
  sd_bus_message* raw = message.get();
  TRY(check(sd_bus_message_append(raw, "ss", order.unit.c_str(), "fail"), "append"));
  TRY(open_properties(raw));
  TRY(append_holder(raw, order, pid));
  for (const Property& property : order.properties) {
    TRY(append_property(raw, property), property.name);
  }
  TRY(close_properties(raw));
  TRY(check(sd_bus_message_append(raw, "a(sa(sv))", 0), "append"));
  return bus.call(message, deadline);
}

Result<Answer> attach(Bus& bus, const Order& order, Deadline deadline) {
  const Message message = TRY(bus.make_call(kManagerPath, kManager, "AttachProcessesToUnit"));
  TRY(check(sd_bus_message_append(message.get(), "ssau", order.unit.c_str(), "", 1, order.pid),
            "append"));
  return bus.call(message, deadline);
}

Result<Answer> set_properties(Bus& bus, const Order& order, Deadline deadline) {
  const Message message = TRY(bus.make_call(kManagerPath, kManager, "SetUnitProperties"));
  sd_bus_message* raw = message.get();
  // True: until the unit is gone, and not for one of that name that comes later.
  TRY(check(sd_bus_message_append(raw, "sb", order.unit.c_str(), 1), "append"));
  TRY(open_properties(raw));
  for (const Property& property : order.properties) {
    TRY(append_property(raw, property), property.name);
  }
  TRY(close_properties(raw));
  return bus.call(message, deadline);
}

Result<std::optional<Presence>> find_unit(Bus& bus, const std::string& unit, Deadline deadline) {
  const Answer answer = TRY(call_manager(bus, "GetUnit", unit, nullptr, deadline));
  if (!answer.ok()) return std::optional<Presence>();
  const char* path = nullptr;
  TRY(check(sd_bus_message_read(answer.reply.get(), "o", &path), "GetUnit"));
  Presence presence;
  Result<std::string> state = read_text(bus, path, kUnit, "ActiveState", deadline);
  Result<unsigned> processes = count_processes(bus, unit, deadline);
  // Gone between the questions.
  if (!state || !processes) return std::optional<Presence>();
  presence.state = std::move(state).value();
  presence.processes = processes.value();
  return std::optional(std::move(presence));
}

void remove_unit(Bus& bus, const std::string& unit, Deadline deadline) {
  static_cast<void>(call_manager(bus, "StopUnit", unit, "replace", deadline));
  static_cast<void>(call_manager(bus, "ResetFailedUnit", unit, nullptr, deadline));
}

}  // namespace rt::systemd
