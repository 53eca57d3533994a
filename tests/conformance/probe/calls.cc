// System calls asked for by number: what a filter makes of them.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

/// A child makes the call, so that its death can be reported.
struct Answer {
  long result = 0;
  int error = 0;
};

void write_call(Writer& out, const std::string& call) {
  std::array<long, 7> words{};
  const std::vector<std::string> parts = split(call, ':');
  for (size_t i = 0; i < parts.size() && i < words.size(); ++i) {
    words[i] = static_cast<long>(std::strtoull(parts[i].c_str(), nullptr, 0));
  }
  int answers[2];
  if (::pipe(answers) < 0) return;
  const pid_t child = ::fork();
  if (child == 0) {
    Answer answer;
    answer.result = ::syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
    answer.error = answer.result < 0 ? errno : 0;
    const ssize_t written = ::write(answers[1], &answer, sizeof answer);
    ::_exit(written == sizeof answer ? 0 : 1);
  }
  ::close(answers[1]);
  Answer answer;
  const ssize_t count = ::read(answers[0], &answer, sizeof answer);
  ::close(answers[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  out.key(call).open('{').member("answered", count == sizeof answer);
  out.member("result", answer.result).member("error", errno_name(answer.error));
  out.member("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0).close('}');
}

}  // namespace

void write_calls(Writer& out, const std::vector<std::string>& calls) {
  out.key("calls").open('{');
  for (const std::string& call : calls) write_call(out, call);
  out.close('}');
}

}  // namespace probe
