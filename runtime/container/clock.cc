#include "runtime/container/clock.h"

#include "runtime/base/text.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// `number` with zeros in front, to `width` digits.
std::string padded(int64_t number, size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

}  // namespace

std::string rfc3339(std::chrono::nanoseconds since_epoch) {
  namespace ch = std::chrono;
  const ch::sys_time<ch::nanoseconds> point(since_epoch);
  const auto day = ch::floor<ch::days>(point);
  // Not gmtime(3): glibc's reads /etc/localtime even for UTC.
  const ch::year_month_day date(day);
  const ch::hh_mm_ss time(point - day);
  return cat(padded(int{date.year()}, 4), '-', padded(unsigned{date.month()}, 2), '-',
             padded(unsigned{date.day()}, 2), 'T', padded(time.hours().count(), 2), ':',
             padded(time.minutes().count(), 2), ':', padded(time.seconds().count(), 2), '.',
             padded(time.subseconds().count(), 9), 'Z');
}

std::string rfc3339_now() { return rfc3339(sys::wall_clock()); }

}  // namespace rt::container
