#include "runtime/sys/watch.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "runtime/sys/retry.h"

namespace rt::sys {

Result<UniqueFd> eventfd() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return Error::from_errno("eventfd");
  return fd;
}

Result<UniqueFd> interval_timer(std::chrono::nanoseconds interval) {
  UniqueFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd) return Error::from_errno("timerfd_create");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(interval);
  itimerspec when{};
  when.it_interval.tv_sec = seconds.count();
  when.it_interval.tv_nsec = (interval - seconds).count();
  when.it_value = when.it_interval;
  TRY(check("timerfd_settime", ::timerfd_settime(fd.get(), 0, &when, nullptr)));
  return fd;
}

Result<uint64_t> read_count(int fd) {
  uint64_t count = 0;
  const ssize_t size = retry([&] { return ::read(fd, &count, sizeof count); });
  if (size < 0 && errno == EAGAIN) return uint64_t{0};
  if (size < 0) return Error::from_errno("read");
  return count;
}

}  // namespace rt::sys
