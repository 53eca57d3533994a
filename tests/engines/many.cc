#include "tests/engines/many.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/engines/engine.h"

namespace rt::testing {
namespace {

size_t entries(const std::string& directory) {
  const Result<std::vector<std::string>> names = sys::list_directory(directory);
  return names ? names.value().size() : 0;
}

/// Threads and connections come and go: an engine that is at rest may have a few more or less.
constexpr size_t kSlack = 15;

}  // namespace

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  const std::optional<int64_t> number = text == nullptr ? std::nullopt : parse_int(text);
  return number ? static_cast<int>(*number) : otherwise;
}

Holdings holdings_of(const std::string& program) {
  Holdings all;
  const Result<std::vector<std::string>> processes = sys::list_directory("/proc");
  if (!processes) return all;
  for (const std::string& process : processes.value()) {
    const std::string directory = cat("/proc/", process);
    const Result<std::string> name = sys::read_file(directory + "/comm", 64);
    if (!parse_int(process) || !name || stripped(name.value()) != program) continue;
    all.descriptors += entries(directory + "/fd");
    all.threads += entries(directory + "/task");
  }
  return all;
}

std::vector<int> failed_at_once(int count, const std::function<bool(int)>& task) {
  std::map<pid_t, int> running;
  std::vector<int> failed;
  for (int number = 0; number < count; ++number) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(task(number) ? 0 : 1);
    if (child < 0) {
      failed.push_back(number);
    } else {
      running[child] = number;
    }
  }
  for (const auto& [child, number] : running) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) failed.push_back(number);
  }
  return failed;
}

void expect_no_growth(int count, const std::vector<std::string>& programs,
                      const std::function<bool(int)>& task) {
  const auto begin = sys::monotonic_clock();
  std::map<std::string, Holdings> early;
  const int warm = std::max(1, count / 10);
  for (int number = 0; number < count; ++number) {
    if (number == warm) {
      for (const std::string& program : programs) early[program] = holdings_of(program);
    }
    ASSERT_TRUE(task(number)) << "container " << number;
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(sys::monotonic_clock() - begin);
  ::testing::Test::RecordProperty("milliseconds", std::to_string(took.count()));
  std::cout << count << " containers in " << took.count() << " ms\n";
  for (const std::string& program : programs) {
    const Holdings before = early[program];
    Holdings after;
    const bool bounded = eventually([&] {
      after = holdings_of(program);
      return after.descriptors <= before.descriptors + kSlack &&
             after.threads <= before.threads + kSlack;
    });
    std::cout << program << ": descriptors " << before.descriptors << " to " << after.descriptors
              << ", threads " << before.threads << " to " << after.threads << '\n';
    EXPECT_TRUE(bounded) << program;
  }
}

}  // namespace rt::testing
