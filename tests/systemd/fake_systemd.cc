#include "tests/systemd/fake_systemd.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {
namespace {

constexpr const char* kJob = "/org/freedesktop/systemd1/job/7";
constexpr const char* kSystemd = "org.freedesktop.systemd1";

/// One connection, and what all of them have in common.
struct Played {
  const Behaviour* behaviour = nullptr;
  size_t starts = 0;
  FILE* log = nullptr;
  sd_bus* bus = nullptr;
  std::string unit;
};

void answer_text(sd_bus_message* call, const char* type, const char* text) {
  sd_bus_message* reply = nullptr;
  sd_bus_message_new_method_return(call, &reply);
  sd_bus_message_set_sender(reply, kSystemd);
  sd_bus_message_append(reply, "v", type, text);
  sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
}

void end_job(Played& played) {
  const std::string& result = played.behaviour->job_result;
  if (result.empty()) return;
  sd_bus_message* signal = nullptr;
  sd_bus_message_new_signal(played.bus, &signal, "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager", "JobRemoved");
  sd_bus_message_set_sender(signal, kSystemd);
  sd_bus_message_append(signal, "uoss", 7, kJob, played.unit.c_str(), result.c_str());
  sd_bus_send(nullptr, signal, nullptr);
  sd_bus_message_unref(signal);
}

int start_unit(Played& played, sd_bus_message* call) {
  const std::vector<std::string>& refusals = played.behaviour->refusals;
  const size_t number = played.starts++;
  if (number < refusals.size()) {
    if (refusals[number].empty()) return 1;
    return sd_bus_reply_method_errorf(call, refusals[number].c_str(), "refused for the test");
  }
  const char* unit = nullptr;
  sd_bus_message_read(call, "s", &unit);
  played.unit = unit;
  sd_bus_reply_method_return(call, "o", kJob);
  end_job(played);
  return 1;
}

void log_call(const Played& played, sd_bus_message* call) {
  std::fprintf(played.log, "call %s\n", sd_bus_message_get_member(call));
  sd_bus_message_dump(call, played.log, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY);
  std::fflush(played.log);
  sd_bus_message_rewind(call, 1);
}

int answer_systemd(Played& played, sd_bus_message* call, const std::string& method) {
  const Behaviour& behaviour = *played.behaviour;
  if (method == "StartTransientUnit") return start_unit(played, call);
  if (method == "GetUnit") {
    return sd_bus_reply_method_return(call, "o", "/org/freedesktop/systemd1/unit/it");
  }
  if (method == "GetUnitProcesses") {
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(sus)");
    for (unsigned i = 0; i < behaviour.processes; ++i) {
      sd_bus_message_append(reply, "(sus)", "/it", 1000 + i, "sleep");
    }
    sd_bus_message_close_container(reply);
    sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return 1;
  }
  if (method == "StopUnit") return sd_bus_reply_method_return(call, "o", kJob);
  return sd_bus_reply_method_return(call, "");
}

int answer(sd_bus_message* call, void* data, sd_bus_error* /*error*/) {
  Played& played = *static_cast<Played*>(data);
  if (sd_bus_message_is_method_call(call, nullptr, nullptr) <= 0) return 0;
  log_call(played, call);
  const Behaviour& behaviour = *played.behaviour;
  const std::string method = sd_bus_message_get_member(call);
  if (method == behaviour.breaks_at) {
    sd_bus_close(played.bus);
    return 1;
  }
  if (method == behaviour.silent_at) return 1;
  if (method == "Hello") return sd_bus_reply_method_return(call, "s", ":1.9");
  if (method == "Get") {
    const char* name = nullptr;
    sd_bus_message_read(call, "ss", nullptr, &name);
    const bool version = std::strcmp(name, "Version") == 0;
    answer_text(call, "s", version ? behaviour.version.c_str() : behaviour.state.c_str());
    return 1;
  }
  return answer_systemd(played, call, method);
}

void serve(int connection, Played& played) {
  sd_id128_t id = {};
  sd_id128_randomize(&id);
  sd_bus_new(&played.bus);
  sd_bus_set_fd(played.bus, connection, connection);
  sd_bus_set_server(played.bus, 1, id);
  sd_bus_add_filter(played.bus, nullptr, answer, &played);
  if (sd_bus_start(played.bus) < 0) std::abort();
  while (true) {
    const int processed = sd_bus_process(played.bus, nullptr);
    if (processed < 0) break;
    if (processed == 0 && sd_bus_wait(played.bus, UINT64_MAX) < 0) break;
  }
  sd_bus_flush_close_unref(played.bus);
}

[[noreturn]] void play(int listener, const Behaviour& behaviour, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Played played;
  played.behaviour = &behaviour;
  played.log = ::fdopen(log, "a");
  while (true) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) ::_exit(1);
    serve(connection, played);
  }
}

}  // namespace

FakeSystemd::FakeSystemd(const Behaviour& behaviour) : log_(::memfd_create("log", MFD_CLOEXEC)) {
  static int number = 0;
  const std::string name = cat("runtime-test-", ::getpid(), '-', ++number);
  address_ = cat("unix:abstract=", name);
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(listener.get(), any, size) < 0 || ::listen(listener.get(), 8) < 0) std::abort();
  pid_ = ::fork();
  if (pid_ < 0) std::abort();  // kill(2) takes -1 for everybody
  if (pid_ == 0) play(listener.get(), behaviour, log_.get());
}

FakeSystemd::~FakeSystemd() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string FakeSystemd::log() const {
  constexpr size_t kLongest = size_t{1} << 20;
  return sys::read_start(log_.get(), kLongest).value();
}

size_t FakeSystemd::calls(const std::string& method) const {
  const std::string text = log();
  size_t count = 0;
  for (const std::string_view line : split(text, '\n'))
    count += line == cat("call ", method) ? 1 : 0;
  return count;
}

size_t FakeSystemd::round_trips() const {
  const std::string text = log();
  size_t count = 0;
  for (const std::string_view line : split(text, '\n')) count += line.starts_with("call ") ? 1 : 0;
  return count - calls("Hello") - calls("AddMatch") - calls("RemoveMatch");
}

}  // namespace rt::testing
