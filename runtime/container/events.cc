#include "runtime/container/events.h"

#include <optional>
#include <utility>

#include "runtime/cgroup/stats.h"
#include "runtime/container/event_json.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/watch.h"

namespace rt::container {
namespace {

Error not_running(const std::string& id) { return Error(cat(id, ": container not running")); }

/// The container, with its init, which lives.
Result<Observed> require_running(const Store& store, const std::string& id) {
  const Entry entry = TRY(store.require(id));
  Observed seen = TRY(observe(entry));
  if (!seen.init) return not_running(id);
  if (seen.record.cgroups.empty()) {
    return Error(cat(id, ": container has no cgroup")).with_hint("nothing is counted for it");
  }
  return seen;
}

enum class Reader { kThere, kGone };

/// What reads the events, a line each.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  Result<Reader> print(const std::string& line) const {
    const Status written = sys::write_all(fd_, cat(line, '\n'));
    if (written) return Reader::kThere;
    if (written.error().code() == EPIPE) return Reader::kGone;
    return Error(written.error()).within("output");
  }

 private:
  int fd_;
};

/// A container, while it runs.
class Follower {
 public:
  Follower(Observed seen, cgroup::Watch watch, UniqueFd timer, int output)
      : seen_(std::move(seen)),
        watch_(std::move(watch)),
        timer_(std::move(timer)),
        fd_(output),
        output_(output) {}

  Status follow() {
    bool more = TRY(print_statistics());
    while (more) more = TRY(serve());
    return ok();
  }

 private:
  /// Waits for something to happen, and says what. Whether there may be more.
  Result<bool> serve() {
    // Of the output only its end is of interest.
    std::vector<sys::Watched> watched = {
        {.fd = seen_.init.get(), .read = true}, {.fd = timer_.get(), .read = true}, {.fd = fd_}};
    watch_.watch(watched);
    TRY(sys::poll(watched));
    const std::vector<cgroup::Notice> notices = TRY(watch_.take(watched));
    for (const cgroup::Notice& notice : notices) {
      const Reader reader = TRY(output_.print(to_json(seen_.record.id, notice)));
      if (reader == Reader::kGone) return false;
    }
    if (watched[0].readable || watched[2].broken) return false;
    if (!watched[1].readable) return true;
    TRY(sys::read_count(timer_.get()));
    return print_statistics();
  }

  Result<bool> print_statistics() {
    const std::optional<cgroup::Stats> stats = TRY(cgroup::read_stats(seen_.record.cgroups));
    if (!stats) return false;
    const Reader reader = TRY(output_.print(to_json(seen_.record.id, *stats)));
    return reader == Reader::kThere;
  }

  Observed seen_;
  cgroup::Watch watch_;
  UniqueFd timer_;
  int fd_;
  Output output_;
};

}  // namespace

Result<std::string> statistics(const Store& store, const std::string& id) {
  const Observed seen = TRY(require_running(store, id));
  const std::optional<cgroup::Stats> stats = TRY(cgroup::read_stats(seen.record.cgroups), id);
  if (!stats) return not_running(id);
  return to_json(id, *stats);
}

Status follow_events(const Store& store, const std::string& id, const EventOptions& options,
                     int output, const Warn& warn) {
  Observed seen = TRY(require_running(store, id));
  cgroup::Watch watch = TRY(cgroup::Watch::start(seen.record.cgroups, options.triggers), id);
  if (!watch.sees_memory()) {
    warn(cat(id, ": no memory controller: running out of memory is not told"));
  }
  UniqueFd timer = TRY(sys::interval_timer(options.interval));
  Follower follower(std::move(seen), std::move(watch), std::move(timer), output);
  TRY(follower.follow(), id);
  return ok();
}

}  // namespace rt::container
