#include "runtime/cgroup/watch.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/figures.h"
#include "runtime/sys/file.h"
#include "runtime/sys/watch.h"

namespace rt::cgroup {
namespace {

constexpr size_t kMaxText = 4096;

/// Nothing when there is no such file.
Result<std::optional<UniqueFd>> open_control(int directory, const std::string& file, int flags) {
  Result<UniqueFd> opened = sys::openat(directory, file, flags | O_NOFOLLOW);
  if (opened) return std::optional<UniqueFd>(std::move(opened).value());
  if (is_gone(opened.error())) return std::optional<UniqueFd>();
  return std::move(opened).error().within(file);
}

/// The text of an open control file, from its beginning: from here on its next change is told.
/// Closes one whose cgroup was removed, which would be told of for ever.
Result<std::optional<std::string>> read_again(UniqueFd& file) {
  Result<std::string> text = sys::read_start(file.get(), kMaxText);
  if (text) return std::optional<std::string>(std::move(text).value());
  if (!is_gone(text.error())) return std::move(text).error();
  file.reset();
  return std::optional<std::string>();
}

Status write_condition(int file, const std::string& condition) {
  // With the NUL, which the kernel puts in place of the last byte.
  Status written = sys::write_once(file, std::string_view(condition.c_str(), condition.size() + 1));
  if (written || written.error().code() != EINVAL) return written;
  return std::move(written).error().with_hint(
      "the window is 500 ms to 10 s and longer than the wait; without CAP_SYS_RESOURCE it is a "
      "multiple of 2 s");
}

bool is_alarmed(const std::vector<sys::Watched>& watched, int fd) {
  return std::ranges::any_of(watched,
                             [fd](const sys::Watched& one) { return one.fd == fd && one.alarmed; });
}

}  // namespace

Result<Watch> Watch::start(const std::vector<Directory>& directories,
                           const std::vector<PressureTrigger>& triggers) {
  Watch watch;
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    std::optional<UniqueFd> opened = TRY(open_directory(directory));
    if (!opened) continue;
    if (!directory.unified) {
      TRY(watch.register_v1(*std::move(opened)), "cgroup ", quoted(directory.path));
      continue;
    }
    std::optional<UniqueFd> events = TRY(open_control(opened->get(), "memory.events", O_RDONLY),
                                         "cgroup ", quoted(directory.path));
    if (events) watch.events_ = *std::move(events);
  }
  std::vector<Notice> earlier;
  TRY(watch.take_v2(earlier));
  for (const PressureTrigger& trigger : triggers) {
    TRY(watch.arm(directories, trigger), trigger.resource, ".pressure");
  }
  return watch;
}

bool Watch::sees_memory() const { return oom_ || events_; }

void Watch::watch(std::vector<sys::Watched>& watched) const {
  if (oom_) watched.push_back({.fd = oom_.get(), .read = true});
  if (events_) watched.push_back({.fd = events_.get(), .urgent = true});
  for (const Alarm& alarm : alarms_) {
    if (alarm.file) watched.push_back({.fd = alarm.file.get(), .urgent = true});
  }
}

Result<std::vector<Notice>> Watch::take(const std::vector<sys::Watched>& watched) {
  std::vector<Notice> notices;
  TRY(take_v1(notices));
  TRY(take_v2(notices));
  TRY(take_pressure(watched, notices));
  return notices;
}

/// Nothing happens in a directory of another controller.
Status Watch::register_v1(UniqueFd memory) {
  const std::optional<UniqueFd> control =
      TRY(open_control(memory.get(), "memory.oom_control", O_RDONLY));
  if (!control) return ok();
  UniqueFd oom = TRY(sys::eventfd());
  // The kernel keeps what both stand for: only the eventfd must stay open.
  TRY(write_control(memory.get(), "cgroup.event_control", cat(oom.get(), ' ', control->get())));
  oom_ = std::move(oom);
  memory_ = std::move(memory);
  return ok();
}

Status Watch::arm(const std::vector<Directory>& directories, const PressureTrigger& trigger) {
  for (const Directory& directory : directories) {
    if (!directory.unified || !directory.leaf) continue;
    const std::optional<UniqueFd> opened = TRY(open_directory(directory));
    if (!opened) continue;
    std::optional<UniqueFd> file =
        TRY(open_control(opened->get(), cat(trigger.resource, ".pressure"), O_RDWR));
    if (!file) continue;
    TRY(write_condition(file->get(), trigger.condition), quoted(trigger.condition));
    alarms_.push_back({.trigger = trigger, .file = *std::move(file)});
    return ok();
  }
  return Error("the container has no such file").with_hint("cgroup v2 and Linux 5.2 have it");
}

Status Watch::take_v1(std::vector<Notice>& notices) {
  if (!oom_) return ok();
  const uint64_t count = TRY(sys::read_count(oom_.get()));
  if (count == 0) return ok();
  const std::optional<UniqueFd> there =
      TRY(open_control(memory_.get(), "memory.oom_control", O_PATH));
  // The removal of the cgroup is counted too, once.
  if (there || count > 1) notices.emplace_back(OutOfMemory());
  if (!there) oom_.reset();
  return ok();
}

/// Read whenever we are awake: the kernel tells of two changes within 10 ms as of one, later, and
/// the container may have ended by then.
Status Watch::take_v2(std::vector<Notice>& notices) {
  if (!events_) return ok();
  const std::optional<std::string> text = TRY(read_again(events_), "memory.events");
  if (!text) return ok();
  Table counts = parse_table(*text);
  if (counts == events_so_far_) return ok();
  const std::string kills = "oom_kill";
  if (number_in(counts, kills) > number_in(events_so_far_, kills)) {
    notices.emplace_back(OutOfMemory());
  }
  notices.emplace_back(MemoryEvents{.counts = counts});
  events_so_far_ = std::move(counts);
  return ok();
}

Status Watch::take_pressure(const std::vector<sys::Watched>& watched,
                            std::vector<Notice>& notices) {
  for (Alarm& alarm : alarms_) {
    if (!alarm.file || !is_alarmed(watched, alarm.file.get())) continue;
    const std::optional<std::string> text =
        TRY(read_again(alarm.file), alarm.trigger.resource, ".pressure");
    if (!text) continue;
    notices.emplace_back(PressureRose{.trigger = alarm.trigger, .pressure = parse_pressure(*text)});
  }
  return ok();
}

}  // namespace rt::cgroup
