#include "runtime/systemd/scope.h"

#include <signal.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/systemd/unit.h"

namespace rt::systemd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";
/// For systemd to notice that what a unit was for has ended.
constexpr seconds kLeftoverPatience(5);
constexpr seconds kUndoPatience(2);

/// Whether the process is in that cgroup, in a hierarchy by which systemd tells units apart.
Result<bool> is_in(pid_t process, const std::string& cgroup) {
  constexpr size_t kLongest = size_t{1} << 20;
  const std::string text = TRY(sys::read_file(cat("/proc/", process, "/cgroup"), kLongest));
  for (const std::string_view line : split(text, '\n')) {
    if (line == cat("0::", cgroup)) return true;
    if (line.ends_with(cat(":name=systemd:", cgroup))) return true;
  }
  return false;
}

/// The process that holds the place in the scope. It allocates nothing: limits that leave no room
/// for anything do it no harm.
class Holder {
 public:
  static Result<Holder> start() {
    sys::Child child = TRY(sys::clone(0));
    if (child.pid == 0) hold();
    return Holder(std::move(child));
  }

  Holder(Holder&& other) noexcept : child_(std::exchange(other.child_, {})) {}
  Holder& operator=(Holder&&) = delete;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { end(); }

  [[nodiscard]] pid_t pid() const { return child_.pid; }

  void end() {
    if (child_.pid == 0) return;
    static_cast<void>(sys::pidfd_send_signal(child_.pidfd.get(), SIGKILL));
    static_cast<void>(sys::wait_for(std::exchange(child_.pid, 0)));
  }

  /// It lives on without us.
  void let_go() { child_ = {}; }

 private:
  explicit Holder(sys::Child child) : child_(std::move(child)) {}

  [[noreturn]] static void hold() {
    static_cast<void>(sys::close_from(1));
    static_cast<void>(sys::set_process_name("runtime-holder"));
    while (true) {
      char byte = 0;
      const Result<size_t> count = sys::read(0, &byte, 1);
      if (!count || count.value() == 0) sys::exit_now(0);
    }
  }

  sys::Child child_;
};

/// One start, step by step.
class Start {
 public:
  Start(Bus& bus, const Order& order, pid_t holder, Deadline deadline)
      : bus_(bus), order_(order), holder_(holder), deadline_(deadline) {}

  Status run() {
    TRY(listen());
    TRY(forget_unknown_properties());
    milliseconds pause(10);
    const Deadline patience = std::min(deadline_, in(kLeftoverPatience));
    while (true) {
      const Answer answer = TRY(start_unit(bus_, order_, holder_, deadline_));
      if (answer.ok()) return finish(answer);
      // The answer to the first request was lost, and this one came second.
      if (TRY(is_in_place())) return ok();
      const bool exists = answer.refusal.name == kUnitExists;
      if (exists) TRY(check_leftover());
      Error error = to_error(answer.refusal);
      const bool again = exists || error.code() == EAGAIN;
      if (!again || in(pause) > (exists ? patience : deadline_)) {
        return std::move(error).within("systemd does not start ", order_.unit);
      }
      TRY(sys::wait_readable({}, pause));
      pause = std::min(pause * 2, milliseconds(500));
    }
  }

  /// Whether systemd has accepted that it is to be started: then it is ours to remove.
  [[nodiscard]] bool accepted() const { return !job_.empty(); }

 private:
  Status listen() {
    // Not by the unit's name too: libsystemd finds arguments only behind texts.
    return bus_.listen(
        "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
        "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
        [this](sd_bus_message* message) {
          const char* job = nullptr;
          const char* unit = nullptr;
          const char* result = nullptr;
          const int read = sd_bus_message_read(message, "uoss", nullptr, &job, &unit, &result);
          if (read > 0 && order_.unit == unit) results_.emplace_back(job, result);
        });
  }

  /// Those that this version does not know would make it refuse them all.
  Status forget_unknown_properties() {
    while (true) {
      const Result<unsigned> known = version(bus_, deadline_);
      if (known) {
        std::erase_if(order_.properties,
                      [&](const Property& property) { return property.since > known.value(); });
        return ok();
      }
      constexpr milliseconds kPause(50);
      if (known.error().code() != EAGAIN || in(kPause) > deadline_) return known.error();
      TRY(sys::wait_readable({}, kPause));
    }
  }

  /// A unit that nobody is in is one that systemd has not forgotten yet: of a container that has
  /// just been deleted, or that failed. Any other is somebody else's.
  Status check_leftover() {
    const std::optional<Presence> found = TRY(find_unit(bus_, order_.unit, deadline_));
    if (!found) return ok();
    if (found->processes > 0) {
      return Error(cat("a unit ", order_.unit, " exists already, and is ", found->state, " with ",
                       found->processes, found->processes == 1 ? " process" : " processes"));
    }
    // Whoever asks for the same name at this moment may have a job that has not put anybody in yet:
    // such a unit is not active.
    const bool ended = found->state == "active" || found->state == "failed";
    if (ended) remove_unit(bus_, order_.unit, deadline_);
    return ok();
  }

  Status finish(const Answer& answer) {
    const char* job = nullptr;
    TRY(check(sd_bus_message_read(answer.reply.get(), "o", &job), "StartTransientUnit"));
    job_ = job;
    const std::string result = TRY(wait_for_job());
    if (result != "done") {
      return Error(
          cat("systemd could not start ", order_.unit, ": its job ended with ", quoted(result)));
    }
    if (TRY(is_in_place())) return ok();
    return Error(
        cat("systemd has made ", order_.unit, " elsewhere than at ", quoted(order_.cgroup)));
  }

  Result<std::string> wait_for_job() {
    const auto ended = [this] { return find_result() != results_.end(); };
    while (true) {
      constexpr milliseconds kLookAgain(1000);
      if (TRY(bus_.wait_until(ended, std::min(deadline_, in(kLookAgain))))) {
        return find_result()->second;
      }
      // Nobody tells when systemd has executed itself anew in between. The process comes into the
      // cgroup when everything else is done.
      if (TRY(is_in_place())) return std::string("done");
      if (in(milliseconds(0)) >= deadline_) {
        return Error::from_wire(ETIMEDOUT, "", "its job did not end");
      }
    }
  }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>>::const_iterator find_result()
      const {
    return std::ranges::find(results_, job_, &std::pair<std::string, std::string>::first);
  }

  [[nodiscard]] Result<bool> is_in_place() const { return is_in(holder_, order_.cgroup); }

  Bus& bus_;
  Order order_;
  pid_t holder_;
  Deadline deadline_;
  std::string job_;
  std::vector<std::pair<std::string, std::string>> results_;
};

/// Says of what takes too long how long that was.
Status with_time(Status status, const Order& order, std::string_view what) {
  if (status || status.error().code() != ETIMEDOUT) return status;
  return Error(cat("systemd did not ", what, ' ', order.unit, " within ", order.timeout_s, " s"))
      .with_hint(status.error().message());
}

Status try_start(const Order& order) {
  Holder holder = TRY(Holder::start());
  const Deadline deadline = in(seconds(order.timeout_s));
  Bus bus = TRY(Bus::connect(order.user, deadline));
  Start start(bus, order, holder.pid(), deadline);
  Status started = start.run();
  if (started) {
    holder.let_go();
    return started;
  }
  // First: a unit that systemd starts from now on has nobody in it, and goes away by itself.
  holder.end();
  if (start.accepted()) remove_unit(bus, order.unit, in(kUndoPatience));
  return started;
}

Status try_attach(const Order& order) {
  const Deadline deadline = in(seconds(order.timeout_s));
  Bus bus = TRY(Bus::connect(order.user, deadline));
  const Answer answer = TRY(attach(bus, order, deadline));
  if (!answer.ok()) {
    return to_error(answer.refusal)
        .within("systemd does not put process ", order.pid, " into ", order.unit);
  }
  if (TRY(is_in(static_cast<pid_t>(order.pid), order.cgroup))) return ok();
  return Error(
      cat("systemd has put process ", order.pid, " elsewhere than into ", quoted(order.cgroup)));
}

Status try_set(const Order& order) {
  const Deadline deadline = in(seconds(order.timeout_s));
  Bus bus = TRY(Bus::connect(order.user, deadline));
  const unsigned known = TRY(version(bus, deadline));
  Order possible = order;
  std::erase_if(possible.properties,
                [&](const Property& property) { return property.since > known; });
  const Answer answer = TRY(set_properties(bus, possible, deadline));
  if (answer.ok()) return ok();
  return to_error(answer.refusal).within("systemd does not change ", order.unit);
}

}  // namespace

Status start_scope(const Order& order) { return with_time(try_start(order), order, "start"); }

Status attach_process(const Order& order) {
  return with_time(try_attach(order), order, "put a process into");
}

Status set_unit_properties(const Order& order) {
  return with_time(try_set(order), order, "change");
}

}  // namespace rt::systemd
