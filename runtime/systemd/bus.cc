#include "runtime/systemd/bus.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/sys/process.h"

namespace rt::systemd {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr const char* kSystemd = "org.freedesktop.systemd1";

std::string variable(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? "" : value;
}

/// D-Bus Specification, "Server Addresses": other bytes than these are written as %XX.
std::string address_of(std::string_view path) {
  constexpr std::string_view kPlain =
      "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz/.\\*";
  std::string address = "unix:path=";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      address += c;
      continue;
    }
    const std::string digits = to_digits(static_cast<unsigned char>(c), 16);
    address += cat(digits.size() < 2 ? "%0" : "%", digits);
  }
  return address;
}

/// In a user namespace the user's id is not ours: podman tells it in a variable of its own.
std::string user_directory() {
  std::string directory = variable("XDG_RUNTIME_DIR");
  if (!directory.empty()) return directory;
  const std::string uid = variable("_CONTAINERS_ROOTLESS_UID");
  return cat("/run/user/", uid.empty() ? std::to_string(sys::geteuid()) : uid);
}

std::string bus_address(bool user) {
  std::string address = variable(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
  if (!address.empty()) return address;
  if (user) return address_of(user_directory() + "/bus");
  return "unix:path=/run/dbus/system_bus_socket";
}

/// Not now, perhaps in a moment: the socket's queue is full.
bool is_busy(const Error& error) { return error.code() == EAGAIN; }

int keep_reply(sd_bus_message* message, void* data, sd_bus_error* /*error*/) {
  static_cast<Message*>(data)->reset(sd_bus_message_ref(message));
  return 0;
}

int hand_on(sd_bus_message* message, void* data, sd_bus_error* /*error*/) {
  (*static_cast<std::function<void(sd_bus_message*)>*>(data))(message);
  return 0;
}

struct FreeSlot {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};

}  // namespace

Deadline in(milliseconds time) { return sys::monotonic_clock() + time; }

Result<Bus> Bus::open(const std::string& address, Deadline deadline) {
  sd_bus* made = nullptr;
  TRY(check(sd_bus_new(&made), "sd_bus_new"));
  Bus bus;
  bus.bus_.reset(made);
  TRY(check(sd_bus_set_address(made, address.c_str()), "address"));
  TRY(check(sd_bus_set_bus_client(made, 1), "sd_bus_set_bus_client"));
  TRY(check(sd_bus_start(made), "connect"));
  const auto is_ready = [made] { return sd_bus_is_ready(made) > 0; };
  const bool ready = TRY(bus.wait_until(is_ready, deadline));
  if (!ready) return Error::from_wire(ETIMEDOUT, "", "no answer");
  return bus;
}

Result<Bus> Bus::connect(bool user, Deadline deadline) {
  const std::string address = bus_address(user);
  milliseconds pause(10);
  while (true) {
    Result<Bus> opened = open(address, deadline);
    if (opened) return opened;
    const bool again = is_busy(opened.error()) && in(pause) < deadline;
    if (!again) {
      return std::move(opened)
          .error()
          .within("cannot connect to systemd's bus (", address, ')')
          .with_hint("is systemd running? --cgroup-manager cgroupfs works without");
    }
    TRY(sys::wait_readable({}, pause));
    pause *= 2;
  }
}

Result<Message> Bus::make_call(const char* path, const char* interface, const char* method) const {
  sd_bus_message* made = nullptr;
  TRY(check(sd_bus_message_new_method_call(get(), &made, kSystemd, path, interface, method),
            method));
  return Message(made);
}

Result<Answer> Bus::call(const Message& message, Deadline deadline) {
  Message reply;
  sd_bus_slot* made = nullptr;
  const int sent = sd_bus_call_async(get(), &made, message.get(), keep_reply, &reply, UINT64_MAX);
  const std::unique_ptr<sd_bus_slot, FreeSlot> slot(made);
  TRY(check(sent, "send"), "systemd's bus");
  const bool answered = TRY(wait_until([&] { return reply != nullptr; }, deadline));
  if (!answered) {
    return Error::from_wire(ETIMEDOUT, "",
                            cat("no answer to ", sd_bus_message_get_member(message.get())));
  }
  Answer answer;
  if (sd_bus_message_is_method_error(reply.get(), nullptr) > 0) {
    const sd_bus_error* error = sd_bus_message_get_error(reply.get());
    answer.refusal = {error->name, error->message == nullptr ? error->name : error->message};
    return answer;
  }
  answer.reply = std::move(reply);
  return answer;
}

Status Bus::listen(const std::string& rule, std::function<void(sd_bus_message*)> heard) {
  listener_ = std::make_unique<Handler>(std::move(heard));
  return check(
      sd_bus_add_match_async(get(), nullptr, rule.c_str(), hand_on, nullptr, listener_.get()),
      "match");
}

Result<bool> Bus::wait_until(const std::function<bool()>& condition, Deadline deadline) {
  while (!condition()) {
    const int processed = sd_bus_process(get(), nullptr);
    TRY(check(processed, "read"), "systemd's bus");
    if (processed > 0) continue;
    const auto left = std::chrono::ceil<microseconds>(deadline - sys::monotonic_clock()).count();
    if (left <= 0) return false;
    const int waited = sd_bus_wait(get(), static_cast<uint64_t>(left));
    if (waited != -EINTR) TRY(check(waited, "wait"), "systemd's bus");
  }
  return true;
}

}  // namespace rt::systemd
